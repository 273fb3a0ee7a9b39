"""The history of products and their prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.contract import contract
from schemas.derive.fakes import Row
from schemas.shop.silver import ShopProducts
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
    assert_builds(spark, ShopProducts, [[], staged(RUNS)], """
        | product_id | valid_from       | valid_to         | is_current | price_amount | run_no |
        | p1         | 2026-01-05 00:00 | 2026-01-09 00:00 | false      | 100          | 1      |
        | p1         | 2026-01-09 00:00 |                  | true       | 120          | 3      |
        | p2         | 2026-01-05 00:00 |                  | true       | 50           | 1      |
    """)  # fmt: skip


def test_loading_again_changes_nothing(spark: SparkSession) -> None:
    once = build(spark, ShopProducts, [], staged(RUNS))

    assert build(spark, ShopProducts, once, staged(RUNS)) == once
    assert build(spark, ShopProducts, once, []) == once


def test_a_new_price_ends_the_one_that_is_held(spark: SparkSession) -> None:
    held = build(spark, ShopProducts, [], staged(RUNS))
    assert_builds(spark, ShopProducts, [held, staged("""
        | product_id | run_no | valid_from       | content_hash | price_amount |
        | p2         | 4      | 2026-02-01 00:00 | d            | 55           |
    """)], """
        | product_id | valid_from       | valid_to         | is_current | price_amount |
        | p1         | 2026-01-05 00:00 | 2026-01-09 00:00 | false      | 100          |
        | p1         | 2026-01-09 00:00 |                  | true       | 120          |
        | p2         | 2026-01-05 00:00 | 2026-02-01 00:00 | false      | 50           |
        | p2         | 2026-02-01 00:00 |                  | true       | 55           |
    """)  # fmt: skip


def test_a_file_that_comes_late_finds_its_place_and_one_for_the_same_instant_corrects(spark: SparkSession) -> None:
    held = build(spark, ShopProducts, [], staged(RUNS))
    assert_builds(spark, ShopProducts, [held, staged("""
        | product_id | run_no | valid_from       | content_hash | price_amount |
        | p1         | 5      | 2026-01-07 00:00 | e            | 90           |
        | p2         | 5      | 2026-01-05 00:00 | f            | 60           |
    """)], """
        | product_id | valid_from       | valid_to         | is_current | price_amount | run_no |
        | p1         | 2026-01-05 00:00 | 2026-01-07 00:00 | false      | 100          | 1      |
        | p1         | 2026-01-07 00:00 | 2026-01-09 00:00 | false      | 90           | 5      |
        | p1         | 2026-01-09 00:00 |                  | true       | 120          | 3      |
        | p2         | 2026-01-05 00:00 |                  | true       | 60           | 5      |
    """)  # fmt: skip
