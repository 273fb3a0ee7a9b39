"""The views that are files, made over all tables in an empty ClickHouse."""

from __future__ import annotations

from pathlib import Path

from infra.local.deploy import views
from tests.support.clickhouse import answers, definitions


def test_every_view_can_be_made_and_a_company_be_asked_for(tmp_path: Path) -> None:
    asked = ["SELECT count() FROM silver.procurement_company(tax_id = '1')", "SELECT count() FROM ops.latest_checks"]

    assert [int(row[0]) for row in answers(tmp_path, [*definitions(), *asked])] == [0, 0]


def test_every_view_without_parameters_answers(tmp_path: Path) -> None:
    named = [f"{file.parent.name}.{file.stem}" for file in views() if "{" not in file.read_text(encoding="utf-8")]
    asked = [f"SELECT '{name}', count() FROM (SELECT * FROM {name})" for name in named]

    assert [row[0] for row in answers(tmp_path, [*definitions(), *asked])] == named
