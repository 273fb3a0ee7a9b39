"""Sales by category of goods and day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.purchases.gold import CategoryDaily
from tests.support.purchases import purchase_lines
from tests.support.transforms import assert_builds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Tea moves from drinks to gifts on the 7th, after it was something else for some hours; salt has no category yet.
PRODUCTS = """
    | product_id | valid_from       | valid_to         | category_name |
    | tea        | 2026-01-05 15:00 | 2026-01-07 10:00 | drinks        |
    | tea        | 2026-01-07 10:00 | 2026-01-07 18:00 | mistakes      |
    | tea        | 2026-01-07 18:00 |                  | gifts         |
    | juice      | 2026-01-01 00:00 |                  | drinks        |
    | salt       | 2026-01-01 00:00 |                  |               |
"""


def test_a_purchase_with_two_products_of_a_category_is_one_order(spark: SparkSession) -> None:
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | product_id | currency_code | quantity | line_amount |
        | a        | 0       | 2026-01-06 09:00 | s1        | tea        | KZT           | 1        | 5           |
        | a        | 1       | 2026-01-06 09:00 | s1        | juice      | KZT           | 2        | 9           |
        | a        | 2       | 2026-01-06 09:00 | s1        | salt       | KZT           | 1        | 1           |
        | b        | 0       | 2026-01-06 10:00 | s1        | tea        | KZT           | -1       | -5          |
        | c        | 0       | 2026-01-06 10:00 | s2        | juice      | USD           | 1        | 6           |
        | d        | 0       | 2026-01-06 10:00 | s1        | bread      | KZT           | 3        | 7           |
    """)
    assert_builds(spark, CategoryDaily, [lines, PRODUCTS], """
        | category_name | seller_id | sold_on    | currency_code | order_count | line_count | sold_count |
        | drinks        | s1        | 2026-01-06 | KZT           | 1           | 3          | 3          |
        | drinks        | s2        | 2026-01-06 | USD           | 1           | 1          | 1          |
        | unknown       | s1        | 2026-01-06 | KZT           | 2           | 2          | 4          |
    """, """
        | category_name | seller_id | sold_on    | currency_code | sales_amount | returns_amount | revenue_amount |
        | drinks        | s1        | 2026-01-06 | KZT           | 14           | 5              | 9              |
        | drinks        | s2        | 2026-01-06 | USD           | 6            | 0              | 6              |
        | unknown       | s1        | 2026-01-06 | KZT           | 8            | 0              | 8              |
    """)  # fmt: skip


def test_a_product_has_the_category_that_it_had_at_the_end_of_the_day(spark: SparkSession) -> None:
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | product_id | currency_code | quantity | line_amount |
        | early    | 0       | 2026-01-04 23:59 | s1        | tea        | KZT           | 1        | 1           |
        | first    | 0       | 2026-01-05 09:00 | s1        | tea        | KZT           | 1        | 2           |
        | before   | 0       | 2026-01-06 23:59 | s1        | tea        | KZT           | 1        | 4           |
        | changed  | 0       | 2026-01-07 00:00 | s1        | tea        | KZT           | 1        | 8           |
        | later    | 0       | 2026-03-01 12:00 | s1        | tea        | KZT           | 1        | 16          |
    """)
    assert_builds(spark, CategoryDaily, [lines, PRODUCTS], """
        | category_name | sold_on    | order_count | revenue_amount |
        | drinks        | 2026-01-05 | 1           | 2              |
        | drinks        | 2026-01-06 | 1           | 4              |
        | gifts         | 2026-01-07 | 1           | 8              |
        | gifts         | 2026-03-01 | 1           | 16             |
        | unknown       | 2026-01-04 | 1           | 1              |
    """)  # fmt: skip


def test_without_products_all_is_unknown_and_nothing_is_lost(spark: SparkSession) -> None:
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | currency_code | quantity | line_amount |
        | a        | 0       | 2026-01-04 09:00 | s1        | KZT           | 1        | 1           |
        | b        | 0       | 2026-01-04 09:00 | s1        | KZT           | 1        | 2           |
    """)
    assert_builds(spark, CategoryDaily, [lines, []], """
        | category_name | sold_on    | order_count | revenue_amount |
        | unknown       | 2026-01-04 | 2           | 3              |
    """)  # fmt: skip
