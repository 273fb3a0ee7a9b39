"""Sales by product and day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.purchases.gold import ProductDaily
from tests.support.purchases import purchase_lines
from tests.support.transforms import assert_builds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_a_purchase_with_two_lines_of_a_product_is_one_order(spark: SparkSession) -> None:
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | product_id | currency_code | quantity | line_amount |
        | a        | 0       | 2026-01-05 09:00 | s1        | tea        | KZT           | 1        | 5           |
        | a        | 1       | 2026-01-05 09:00 | s1        | tea        | KZT           | 2        | 9           |
        | a        | 2       | 2026-01-05 09:00 | s1        | milk       | KZT           | 1        | 1           |
        | b        | 0       | 2026-01-05 10:00 | s1        | tea        | KZT           | -1       | -5          |
        | b        | 1       | 2026-01-05 10:00 | s1        | tea        | KZT           | 1        | 5           |
        | c        | 0       | 2026-01-05 10:00 | s1        | milk       | KZT           | -1       | -1          |
        | d        | 0       | 2026-01-05 10:00 | s2        | tea        | KZT           | 1        | 6           |
    """)
    assert_builds(spark, ProductDaily, [lines], """
        | seller_id | product_id | sold_on    | currency_code | order_count | line_count | sold_count |
        | s1        | milk       | 2026-01-05 | KZT           | 1           | 2          | 1          |
        | s1        | tea        | 2026-01-05 | KZT           | 2           | 4          | 4          |
        | s2        | tea        | 2026-01-05 | KZT           | 1           | 1          | 1          |
    """, """
        | seller_id | product_id | sold_on    | currency_code | returned_count | sales_amount | returns_amount |
        | s1        | milk       | 2026-01-05 | KZT           | 1              | 1            | 1              |
        | s1        | tea        | 2026-01-05 | KZT           | 1              | 19           | 5              |
        | s2        | tea        | 2026-01-05 | KZT           | 0              | 6            | 0              |
    """, """
        | seller_id | product_id | sold_on    | currency_code | revenue_amount |
        | s1        | milk       | 2026-01-05 | KZT           | 0              |
        | s1        | tea        | 2026-01-05 | KZT           | 14             |
        | s2        | tea        | 2026-01-05 | KZT           | 6              |
    """)  # fmt: skip
