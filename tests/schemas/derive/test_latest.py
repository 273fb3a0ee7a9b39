"""Views of the newest versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from schemas.contract import find, tables
from schemas.derive import latest
from schemas.derive.clickhouse import create_database, create_table
from tests.support.clickhouse import answers, inserted


def test_every_table_of_versions_has_a_view() -> None:
    kept = {t.name for t in tables("silver") if t.keeps_versions}

    assert kept == {"silver.shop_customers", "silver.shop_products"}
    assert {t.name for t in latest.versioned()} == {t.name for t in tables("silver", "procurement")} | kept


def test_the_view_takes_one_version_an_entity_and_leaves_out_what_is_gone() -> None:
    view = latest.view(find("silver.procurement_debarments"))

    assert view.startswith("CREATE OR REPLACE VIEW `silver`.`procurement_debarments_latest` AS\n")
    assert "LIMIT 1 BY `collection_code`, `system_code`, `debarment_id`" in view
    # The journal names an entry by system and number: 1-4909.
    assert "gone.object_id = concatWithSeparator('-', rows.`system_code`, rows.`debarment_id`)" in view
    assert "IN ('rnu', 'rnulist')" in view


def test_of_a_customer_the_last_snapshot_holds_unless_it_is_the_end() -> None:
    assert latest.view(find("silver.shop_customers")) == (
        "CREATE OR REPLACE VIEW `silver`.`shop_customers_latest` AS\n"
        "SELECT * FROM (SELECT * FROM `silver`.`shop_customers` ORDER BY `taken_at` DESC LIMIT 1 BY `customer_id`) "
        "WHERE NOT is_deleted"
    )


def test_of_a_product_what_holds_today_is_marked() -> None:
    assert latest.view(find("silver.shop_products")).endswith("FROM `silver`.`shop_products` WHERE is_current")


def test_a_row_that_no_journal_names_is_never_gone() -> None:
    assert "JOIN" not in latest.view(find("silver.procurement_reference_items"))


def test_each_dictionary_has_a_view_of_its_own() -> None:
    views = latest.views(find("silver.procurement_reference_items"))

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

    gone = {"collection_code": "a", "service_name": "lots", "object_id": "3", "changed_at": "2026-01-09 00:00:00"}
    found = answers(
        tmp_path,
        [
            create_database("silver"), create_table(LOTS), create_table(DELETIONS),
            *latest.views(DELETIONS), *latest.views(LOTS),
            inserted(LOTS, [lot("7", 1, "1"), lot("8", 2, "1"), lot("7", 1, "2"), lot("7", 1, "3")]),
            inserted(DELETIONS, [gone]),
            "SELECT lot_id FROM silver.procurement_lots_by_number(value = '7')",
            "SELECT lot_id FROM silver.procurement_lots_by_number(value = '8')",
        ],
    )  # fmt: skip

    assert found == [["2"], ["1"]]


def test_only_tables_of_versions_of_registers_are_looked_up_so() -> None:
    assert latest.lookups(LOTS)["silver.procurement_lots_by_buyer_tax_id"] == "buyer_tax_id"
    assert latest.lookups(find("silver.purchase_lines")) == {}
