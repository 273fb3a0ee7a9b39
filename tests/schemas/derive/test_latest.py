"""Views of the newest versions."""

from __future__ import annotations

from schemas.contract import find, tables
from schemas.derive import latest


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
