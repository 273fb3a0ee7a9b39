"""The questions of checks, asked of a ClickHouse with a few rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from schemas.contract import Contract, find
from schemas.contract.references import references
from schemas.contract.rules import quoted
from schemas.derive import checks, latest_views
from schemas.derive.clickhouse import create_database, create_table
from tests.support.clickhouse import answers, inserted

LOTS, TENDERS, ITEMS, ENTRIES, DELETIONS = (
    find(f"silver.procurement_{name}")
    for name in ("lots", "tenders", "planning_items", "reference_items", "deletions")
)  # fmt: skip


def version(collection: str, **columns: Any) -> dict[str, Any]:
    return {"collection_code": collection, "line_no": 0, "changed_at": "2026-01-01 00:00:00", **columns}


def question(contract: Contract, *columns: str, collection: str = "") -> str:
    return checks.unresolved([r for r in references(contract) if r.column in columns], collection)


QUESTIONS = {
    "tenders of lots": question(LOTS, "tender_id"),
    "tenders of lots, b": question(LOTS, "tender_id", collection="b"),
    "parents": question(TENDERS, "parent_id"),
    "planned items of lots": question(LOTS, "planning_item_ids"),
    "statuses": question(LOTS, "status_code", collection="a"),
    "units": question(ITEMS, "unit_code"),
    "together": question(LOTS, "tender_id", "status_code", collection="a"),
    "lots": checks.counted(LOTS),
    "entries, a": checks.counted(ENTRIES, "a"),
}
Answers = Mapping[str, list[list[Any]]]


@pytest.fixture(scope="module")
def answers_by_name(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """The answers by question, sorted; whole numbers, which JSON may write as texts, are numbers."""
    tables = [LOTS, TENDERS, ITEMS, ENTRIES, DELETIONS]
    empty = find("silver.procurement_parties")
    statements = [create_database("silver"), create_database("lookup"), *map(create_table, [*tables, empty])]
    statements += [statement for table in [*tables, empty] for statement in latest_views.views(table)]
    statements += [
        inserted(TENDERS, [
            version("a", tender_id="1", parent_id="0"), version("a", tender_id="2", parent_id="1"),
            version("b", tender_id="3", parent_id=None),
        ]),
        inserted(LOTS, [
            version("a", lot_id="7", tender_id="1", status_code="240", planning_item_ids='[5, "6"]'),
            version("a", lot_id="8", tender_id="3", status_code="999", planning_item_ids=None),
            version("a", lot_id="9", tender_id="0", status_code=None, planning_item_ids="[]"),
            # An older version refers to nothing; it no longer holds.
            version("a", lot_id="7", tender_id="77", changed_at="2025-01-01 00:00:00"),
            version("b", lot_id="7", tender_id="3", status_code=None, planning_item_ids="[5]"),
        ]),
        inserted(ITEMS, [
            version("a", planning_item_id="5", unit_code="6"), version("a", planning_item_id="4", unit_code="796"),
        ]),
        inserted(ENTRIES, [
            version("a", dictionary_code="ref_lots_status", item_id="240", code="Published"),
            version("a", dictionary_code="ref_units", item_id="006", code="006"),
        ]),
    ]  # fmt: skip
    queries = [f"SELECT {quoted(name)}, * FROM ({sql})" for name, sql in QUESTIONS.items()]
    actual: dict[str, list[list[Any]]] = {name: [] for name in QUESTIONS}
    for name, *row in answers(tmp_path_factory.mktemp("clickhouse"), [*statements, *queries]):
        actual[name].append([int(value) if str(value).isdigit() else value for value in row])
    return {name: sorted(rows) for name, rows in actual.items()}


def test_a_reference_resolves_within_its_collection_only(answers_by_name: Answers) -> None:
    assert answers_by_name["tenders of lots"] == [["a", 2, 1, "lot_id 8: tender_id 3"], ["b", 1, 0, ""]]
    assert answers_by_name["tenders of lots, b"] == [["b", 1, 0, ""]]


def test_nothing_and_0_refer_to_nothing(answers_by_name: Answers) -> None:
    assert answers_by_name["parents"] == [["a", 1, 0, ""], ["b", 0, 0, ""]]


def test_each_id_of_a_list_is_looked_for_as_number_and_as_text(answers_by_name: Answers) -> None:
    assert answers_by_name["planned items of lots"] == [
        ["a", 2, 1, "lot_id 7: planning_item_ids 6"], ["b", 1, 1, "lot_id 7: planning_item_ids 5"]
    ]  # fmt: skip


def test_a_code_is_looked_for_in_its_own_dictionary_without_leading_zeros(answers_by_name: Answers) -> None:
    assert answers_by_name["statuses"] == [["a", 2, 1, "lot_id 8: status_code 999"]]
    assert answers_by_name["units"] == [["a", 2, 1, "planning_item_id 4: unit_code 796"]]


def test_references_of_one_table_are_counted_in_one_question(answers_by_name: Answers) -> None:
    tenders, statuses = answers_by_name["tenders of lots"][0], answers_by_name["statuses"][0]

    # In the order of the table's columns.
    assert answers_by_name["together"] == [[*tenders, *statuses[1:]]]


def test_rows_that_hold_are_counted_by_collection_and_dictionary(answers_by_name: Answers) -> None:
    assert answers_by_name["lots"] == [["a", "silver.procurement_lots", 3], ["b", "silver.procurement_lots", 1]]
    assert answers_by_name["entries, a"] == [
        ["a", "silver.procurement_ref_lots_status", 1], ["a", "silver.procurement_ref_units", 1]
    ]  # fmt: skip
