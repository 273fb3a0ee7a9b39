"""The history of products and their prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.contract import contract
from schemas.derive.fakes import Row
from schemas.shop.silver import ShopChanges, ShopProducts
from schemas.shop.stage import ProductsStaged
from tests.support.tables import table_from_text
from tests.support.transforms import assert_builds, build

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def staged(text: str) -> list[Row]:
    return table_from_text(contract(ProductsStaged), text)


RUNS = """
    | product_id | run_no | valid_from       | content_hash | price_amount |
    | p1         | 1      | 2026-01-05 00:00 | a            | 100          |
    | p1         | 2      | 2026-01-06 00:00 | a            | 100          |
    | p1         | 3      | 2026-01-09 00:00 | b            | 120          |
    | p2         | 1      | 2026-01-05 00:00 | c            | 50           |
"""


def test_each_price_lasts_until_the_next(spark: SparkSession) -> None:
    assert_builds(spark, ShopProducts, [[], staged(RUNS), []], """
        | product_id | valid_from       | valid_to         | is_current | price_amount | run_no |
        | p1         | 2026-01-05 00:00 | 2026-01-09 00:00 | false      | 100          | 1      |
        | p1         | 2026-01-09 00:00 |                  | true       | 120          | 3      |
        | p2         | 2026-01-05 00:00 |                  | true       | 50           | 1      |
    """)  # fmt: skip


def test_loading_again_changes_nothing(spark: SparkSession) -> None:
    once = build(spark, ShopProducts, [], staged(RUNS), [])

    assert build(spark, ShopProducts, once, staged(RUNS), []) == once
    assert build(spark, ShopProducts, once, [], []) == once


def test_a_new_price_ends_the_one_that_is_held(spark: SparkSession) -> None:
    held = build(spark, ShopProducts, [], staged(RUNS), [])
    assert_builds(spark, ShopProducts, [held, staged("""
        | product_id | run_no | valid_from       | content_hash | price_amount |
        | p2         | 4      | 2026-02-01 00:00 | d            | 55           |
    """), []], """
        | product_id | valid_from       | valid_to         | is_current | price_amount |
        | p1         | 2026-01-05 00:00 | 2026-01-09 00:00 | false      | 100          |
        | p1         | 2026-01-09 00:00 |                  | true       | 120          |
        | p2         | 2026-01-05 00:00 | 2026-02-01 00:00 | false      | 50           |
        | p2         | 2026-02-01 00:00 |                  | true       | 55           |
    """)  # fmt: skip


def test_a_file_that_comes_late_finds_its_place_and_one_for_the_same_instant_corrects(spark: SparkSession) -> None:
    held = build(spark, ShopProducts, [], staged(RUNS), [])
    assert_builds(spark, ShopProducts, [held, staged("""
        | product_id | run_no | valid_from       | content_hash | price_amount |
        | p1         | 5      | 2026-01-07 00:00 | e            | 90           |
        | p2         | 5      | 2026-01-05 00:00 | f            | 60           |
    """), []], """
        | product_id | valid_from       | valid_to         | is_current | price_amount | run_no |
        | p1         | 2026-01-05 00:00 | 2026-01-07 00:00 | false      | 100          | 1      |
        | p1         | 2026-01-07 00:00 | 2026-01-09 00:00 | false      | 90           | 5      |
        | p1         | 2026-01-09 00:00 |                  | true       | 120          | 3      |
        | p2         | 2026-01-05 00:00 |                  | true       | 60           | 5      |
    """)  # fmt: skip


CHANGES = """
    | entity_code | entity_id | action_code | changed_at       | seller_id | product_name | category_name | price_amount | currency_code | is_active |
    | product     | p9        | changed     | 2026-01-06 00:00 | s         | Tea          | food          | 10           | KZT           | true      |
    | product     | p9        | changed     | 2026-01-07 00:00 | s         | Tea          | food          | 12           | KZT           | true      |
    | product     | p9        | changed     | 2026-01-07 12:00 | s         | Tea          | food          | 12           | KZT           | true      |
    | product     | p9        | deleted     | 2026-01-08 00:00 | s         | Tea          | food          | 12           | KZT           | true      |
    | seller      | s         | changed     | 2026-01-08 00:00 |           |              |               |              |               | true      |
    | product     | p8        | changed     | 2026-01-08 00:00 | s         |              | food          |              |               |           |
"""  # noqa: E501


def changed(text: str) -> list[Row]:
    return table_from_text(contract(ShopChanges), text)


def test_what_the_api_changes_is_history_too_and_a_deleted_product_is_not_on_sale(spark: SparkSession) -> None:
    assert_builds(spark, ShopProducts, [[], [], changed(CHANGES)], """
        | product_id | valid_from       | valid_to         | is_current | name | category_name | price_amount | is_active | source       | run_no |
        | p9         | 2026-01-06 00:00 | 2026-01-07 00:00 | false      | Tea  | food          | 10           | true      | shop-changes | 0      |
        | p9         | 2026-01-07 00:00 | 2026-01-08 00:00 | false      | Tea  | food          | 12           | true      | shop-changes | 0      |
        | p9         | 2026-01-08 00:00 |                  | true       | Tea  | food          | 12           | false     | shop-changes | 0      |
    """)  # noqa: E501  # fmt: skip


def test_changes_and_files_that_say_the_same_are_one_version_and_loading_again_changes_nothing(
    spark: SparkSession,
) -> None:
    file = staged("""
        | product_id | run_no | valid_from       | content_hash | seller_id | name | category_name | price_amount | currency_code | is_active |
        | p9         | 1      | 2026-01-05 00:00 | file         | s         | Tea  | food          | 10           | KZT           | true      |
        | p9         | 2      | 2026-01-09 00:00 | later        | s         | Tea  | food          | 11           | KZT           | true      |
    """)  # noqa: E501
    once = build(spark, ShopProducts, [], file, changed(CHANGES))

    assert [(r["price_amount"], r["is_active"], r["run_no"]) for r in once] == [
        (10, True, 1), (12, True, 0), (12, False, 0), (11, True, 2),
    ]  # fmt: skip
    assert build(spark, ShopProducts, once, file, changed(CHANGES)) == once
    assert build(spark, ShopProducts, once, [], []) == once
