"""What files of OCDS send becomes rows of procurement's silver tables, all of it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from streaming.core.registry import domains
from tests.ingestion.procurement.ocds.samples import AWARD, CONTRACT, TENDER, package, sent, written
from tests.support.delta import delta_session
from tests.support.verdicts import verdicts

pytestmark = [pytest.mark.services, pytest.mark.timeout(300), pytest.mark.beside]

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    messages = sent(written(tmp_path_factory.mktemp("ocds") / "p.json", package(TENDER, AWARD, CONTRACT)))
    (procurement,) = (d for d in domains() if d.name == "procurement")
    actual: Rows = {}
    with delta_session() as (spark, _):
        for branch in procurement.branches:
            fed = [m for m in messages if dict(m.headers)["ce_type"].decode() in branch.types]
            if fed:
                reported = verdicts(spark, branch, [m.value for m in fed], [m.headers for m in fed])
                assert [len(verdict.lines) for verdict in reported] == [m.lines for m in fed], branch.silver.table
                lines = [line for verdict in reported for line in verdict.lines]
                actual[branch.silver.table.removeprefix("procurement_")] = lines
    return actual


def test_each_table_has_its_rows(rows: Rows) -> None:
    assert {table: len(lines) for table, lines in rows.items()} == {
        "parties": 3, "party_addresses": 1, "planning_items": 1, "tenders": 1, "lots": 2, "bids": 3, "awards": 1,
        "contracts": 1, "contract_items": 1, "acts": 1, "transactions": 1, "processes": 1,
    }  # fmt: skip
    assert {line["collection_code"] for lines in rows.values() for line in lines} == {"x"}
    assert {line["changed_at"] for lines in rows.values() for line in lines} == {datetime(2026, 1, 30, tzinfo=UTC)}


def test_values_are_typed(rows: Rows) -> None:
    (tender,), (contract,), (paid,) = rows["tenders"], rows["contracts"], rows["transactions"]
    (award,) = rows["awards"]
    assert (award["total_amount"], award["lot_ids"]) == (Decimal("900.1000"), '["ocds-x-1/1"]')
    assert (contract["total_amount"], contract["award_ids"]) == (None, f'["{award["award_id"]}"]')
    assert (tender["total_amount"], tender["currency_code"], tender["lot_count"]) == (Decimal("1500.5000"), "EUR", 2.0)
    # A day without a zone is one of UTC, whatever the register's zone is.
    assert tender["started_at"] == datetime(2026, 1, 2, tzinfo=UTC)
    assert tender["ended_at"] == datetime(2026, 1, 10, 6, tzinfo=UTC)
    assert (contract["lot_ids"], contract["supplier_tax_id"]) == ('["ocds-x-1/1"]', "2")
    assert (paid["paid_amount"], paid["supplier_tax_id"]) == (Decimal("100.0000"), "2")
    (process,) = rows["processes"]
    assert (process["bid_count"], json.loads(process["bids"])[0]["amount"]) == (2.0, "900.1")
    bids = [(b["bid_id"], b["lot_id"], b["status_code"], b["submitted_on"]) for b in rows["bids"]]
    assert bids[0] == ("ocds-x-1/b1", "ocds-x-1/1", "winner", date(2026, 1, 5))
    assert [lot["planning_item_ids"] for lot in rows["lots"]] == ['["ocds-x-1/a"]', None]
