"""Views of the newest versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.contract import find, tables
from schemas.derive import latest_views
from schemas.derive.clickhouse import create_database, create_table
from tests.support.clickhouse import answers, inserted


def test_every_table_of_versions_has_a_view() -> None:
    kept = {t.name for t in tables("silver") if t.keeps_versions}

    assert kept == {"silver.shop_customers", "silver.shop_products"}
    assert {t.name for t in latest_views.versioned()} == {t.name for t in tables("silver", "procurement")} | kept


def test_the_view_takes_one_version_an_entity_and_leaves_out_what_is_gone() -> None:
    view = latest_views.view(find("silver.procurement_debarments"))

    assert view.startswith("CREATE OR REPLACE VIEW `silver`.`procurement_debarments_latest` AS\n")
    assert "LIMIT 1 BY `collection_code`, `system_code`, `debarment_id`" in view
    # The journal names an entry by system and number: 1-4909.
    assert "gone.object_id = concatWithSeparator('-', rows.`system_code`, rows.`debarment_id`)" in view
    assert "IN ('rnu', 'rnulist')" in view


def test_of_a_customer_the_last_snapshot_holds_unless_it_is_the_end() -> None:
    assert latest_views.view(find("silver.shop_customers")) == (
        "CREATE OR REPLACE VIEW `silver`.`shop_customers_latest` AS\n"
        "SELECT * FROM (SELECT * FROM `silver`.`shop_customers` ORDER BY `taken_at` DESC LIMIT 1 BY `customer_id`) "
        "WHERE NOT is_deleted"
    )


def test_of_a_product_what_holds_today_is_marked() -> None:
    assert latest_views.view(find("silver.shop_products")).endswith("FROM `silver`.`shop_products` WHERE is_current")


def test_a_row_that_no_journal_names_is_never_gone() -> None:
    assert "JOIN" not in latest_views.view(find("silver.procurement_reference_items"))


def test_each_dictionary_has_a_view_of_its_own() -> None:
    views = latest_views.views(find("silver.procurement_reference_items"))

    assert len(views) == 31
    assert (
        "CREATE OR REPLACE VIEW `silver`.`procurement_ref_units` AS\n"
        "SELECT `collection_code`, `item_id`, `code`, `parent_code`, `name`, `name_kz` "
        "FROM `silver`.`procurement_reference_items_latest` WHERE `dictionary_code` = 'ref_units'"
    ) in views


LOTS, DELETIONS = find("silver.procurement_lots"), find("silver.procurement_deletions")


def test_rows_that_hold_are_found_by_what_they_are_looked_up_by(tmp_path: Path) -> None:
    """A version that no longer holds is not found, though the index finds it; nor is what was deleted."""

    def lot(number: str, day: int, lot_id: str) -> dict[str, Any]:
        times = f"2026-01-0{day} 00:00:00"
        return {"collection_code": "a", "lot_id": lot_id, "line_no": 0, "number": number, "changed_at": times}

    gone = {
        "collection_code": "a", "service_name": "lots", "object_id": "3", "changed_at": "2026-01-09 00:00:00",
        "is_deleted": None,
    }  # fmt: skip
    actual = answers(
        tmp_path,
        [
            create_database("silver"), create_database("lookup"), create_table(LOTS), create_table(DELETIONS),
            *latest_views.views(DELETIONS), *latest_views.views(LOTS),
            inserted(LOTS, [lot("7", 1, "1"), lot("8", 2, "1"), lot("7", 1, "2"), lot("7", 1, "3")]),
            inserted(DELETIONS, [gone]),
            "SELECT lot_id FROM lookup.procurement_lots_by_number(value = '7')",
            "SELECT lot_id FROM lookup.procurement_lots_by_number(value = '8')",
        ],
    )  # fmt: skip

    assert actual == [["2"], ["1"]]


DEBARMENTS = find("silver.procurement_debarments")
ENTRY = {
    "collection_code": "a", "system_code": "3", "debarment_id": "4909", "line_no": 0, "source_code": "rnu_entry",
    "supplier_tax_id": "001040004321", "changed_at": "2021-05-01 00:00:00", "fetched_at": "2026-02-01 00:00:00",
    "started_at": "2021-05-01 00:00:00", "ended_at": "2023-05-01 00:00:00", "reason_code": "2",
}  # fmt: skip
# A row of the list has no time of its own, so it is as new as its fetching.
LISTED = ENTRY | {
    "source_code": "rnu", "changed_at": "2026-02-01 00:00:00", "started_at": None, "ended_at": None,
    "reason_code": None,
}  # fmt: skip


def debarments(folder: Path, rows: list[dict[str, Any]], gone: list[dict[str, Any]]) -> list[list[Any]]:
    deletions = [inserted(DELETIONS, gone)] if gone else []
    return answers(
        folder,
        [
            create_database("silver"), create_database("lookup"), create_table(DEBARMENTS), create_table(DELETIONS),
            *latest_views.views(DELETIONS), *latest_views.views(DEBARMENTS), inserted(DEBARMENTS, rows), *deletions,
            "SELECT debarment_id, toDate(started_at), toDate(ended_at), reason_code FROM "
            "lookup.procurement_debarments_by_supplier_tax_id(value = '001040004321') ORDER BY debarment_id",
        ],
    )  # fmt: skip


def test_a_list_that_is_newer_hides_no_period_that_an_entry_knows(tmp_path: Path) -> None:
    of_samruk = LISTED | {"system_code": "2", "debarment_id": "4910"}

    actual = debarments(tmp_path, [ENTRY, LISTED, of_samruk], [])

    assert actual == [["4909", "2021-05-01", "2023-05-01", "2"], ["4910", None, None, None]]


def test_what_left_the_list_is_gone_though_the_list_was_fetched_after_it(tmp_path: Path) -> None:
    """The clock of a register, or of the stand-in, may be behind ours."""
    left = {
        "collection_code": "a", "service_name": "rnu", "object_id": "3-4909", "changed_at": "2023-05-01 00:00:00",
        "fetched_at": "2026-02-02 00:00:00", "is_deleted": None,
    }  # fmt: skip

    assert debarments(tmp_path, [ENTRY, LISTED], [left]) == []


def test_the_last_word_on_a_deleted_plan_holds(tmp_path: Path) -> None:
    plans = find("silver.procurement_planning_items")

    def listed(number: int, day: int, *, is_deleted: bool) -> dict[str, Any]:
        times = f"2026-01-0{day} 00:00:00"
        return {"service_name": "plans", "object_id": str(number), "changed_at": times, "is_deleted": is_deleted}

    points = [{"planning_item_id": str(n), "changed_at": "2026-01-01 00:00:00"} for n in (1, 2, 3, 4)]
    entries = [
        listed(1, 5, is_deleted=True), listed(2, 5, is_deleted=False),
        listed(3, 5, is_deleted=True), listed(3, 6, is_deleted=False),
        listed(4, 5, is_deleted=False), listed(4, 6, is_deleted=True),
    ]  # fmt: skip
    shared = {"collection_code": "a", "line_no": 0}
    actual = answers(
        tmp_path,
        [
            create_database("silver"), create_database("lookup"), create_table(plans), create_table(DELETIONS),
            latest_views.view(DELETIONS), latest_views.view(plans),
            inserted(plans, [shared | point for point in points]),
            inserted(DELETIONS, [shared | row for row in entries]),
            "SELECT planning_item_id FROM silver.procurement_planning_items_latest ORDER BY planning_item_id",
        ],
    )  # fmt: skip

    assert actual == [["2"], ["3"]]


BIDS = find("silver.procurement_bids")


def bid(number: int, application: int, day: int, event: str) -> dict[str, Any]:
    return {
        "collection_code": "a", "bid_id": str(number), "application_id": str(application), "event_id": event,
        "lot_id": str(number), "line_no": number, "changed_at": f"2026-01-0{day} 00:00:00",
    }  # fmt: skip


def deleted(service: str, number: int, day: int) -> dict[str, Any]:
    times = f"2026-01-0{day} 00:00:00"
    return {
        "collection_code": "a", "service_name": service, "object_id": str(number), "changed_at": times,
        "is_deleted": None,
    }  # fmt: skip


def holding(folder: Path, name: str, rows: list[dict[str, Any]], gone: list[dict[str, Any]]) -> list[str]:
    """The first column of the table's entity, of what holds."""
    table = find(name)
    (entity, *_) = table.business_key
    actual = answers(
        folder,
        [
            create_database("silver"), create_table(table), create_table(DELETIONS), latest_views.view(DELETIONS),
            latest_views.view(table), inserted(table, rows), *([inserted(DELETIONS, gone)] if gone else []),
            f"SELECT {entity} FROM {name}_latest ORDER BY {entity}",
        ],
    )  # fmt: skip
    return [row[0] for row in actual]


def test_bids_go_with_their_application_and_come_back_with_a_newer_one(tmp_path: Path) -> None:
    rows = [bid(1, 7, 1, "e7"), bid(2, 7, 1, "e7"), bid(3, 8, 1, "e8"), bid(4, 9, 1, "e9"), bid(4, 9, 5, "e9b")]
    gone = [deleted("TrdApp", 7, 3), deleted("trd_app", 9, 3), deleted("lots", 8, 3)]

    assert holding(tmp_path, BIDS.name, rows, gone) == ["3", "4"]


def test_a_bid_that_left_its_application_is_gone(tmp_path: Path) -> None:
    rows = [bid(1, 7, 1, "old"), bid(2, 7, 1, "old"), bid(2, 7, 2, "new"), bid(3, 8, 1, "other")]

    assert holding(tmp_path, BIDS.name, rows, []) == ["2", "3"]


@pytest.mark.parametrize(
    ("name", "owner", "service"),
    [
        ("silver.procurement_party_addresses", "party_id", "subject"),
        ("silver.procurement_employees", "party_id", "subject"),
        ("silver.procurement_lots", "tender_id", "trd-buy"),
        ("silver.procurement_tender_pauses", "tender_id", "trd_buy"),
        ("silver.procurement_tender_cancellations", "tender_id", "TrdBuy"),
        ("silver.procurement_commission_members", "tender_id", "trd_buy"),
        ("silver.procurement_planning_deliveries", "planning_item_id", "plans"),
        ("silver.procurement_planning_finances", "planning_item_id", "plans"),
        ("silver.procurement_contract_items", "contract_id", "contract"),
    ],
)
def test_what_belongs_to_something_deleted_goes_with_it(tmp_path: Path, name: str, owner: str, service: str) -> None:
    (entity, *_) = find(name).business_key
    rows = [
        {"collection_code": "a", entity: number, owner: of, "line_no": 0, "changed_at": "2026-01-01 00:00:00"}
        for number, of in (("11", "1"), ("12", "1"), ("21", "2"))
    ]

    assert holding(tmp_path, name, rows, [deleted(service, 1, 3)]) == ["21"]


def test_a_newer_short_row_hides_nothing_of_a_full_one() -> None:
    assert latest_views.summaries(find("silver.procurement_contracts")) == ["contract_short"]
    assert latest_views.summaries(LOTS) == []


def test_only_tables_of_versions_of_registers_are_looked_up_so() -> None:
    assert latest_views.lookups(LOTS)["lookup.procurement_lots_by_buyer_tax_id"] == "buyer_tax_id"
    assert latest_views.lookups(find("silver.purchase_lines")) == {}
