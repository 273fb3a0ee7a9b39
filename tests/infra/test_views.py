"""The views that are files, made over all tables in an empty ClickHouse."""

from __future__ import annotations

from pathlib import Path

from infra.local.deploy import views
from schemas.contract import contracts, tables
from schemas.derive import latest
from schemas.derive.clickhouse import create_database, create_table
from tests.support.clickhouse import answers


def test_every_view_can_be_made_and_a_company_be_asked_for(tmp_path: Path) -> None:
    served = [c for c in contracts() if c.clickhouse is not None]
    made = [create_database(name) for name in sorted({t.layer for t in tables() if t.clickhouse is not None})]
    made += [create_table(contract) for contract in served]
    made += [statement for contract in latest.versioned() for statement in latest.views(contract)]
    made += [file.read_text(encoding="utf-8").strip().removesuffix(";") for file in views()]
    asked = ["SELECT count() FROM silver.procurement_company(tax_id = '1')", "SELECT count() FROM ops.latest_checks"]

    assert [int(row[0]) for row in answers(tmp_path, [*made, *asked])] == [0, 0]
