"""What customers bought, day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.purchases.gold import CustomerDaily
from tests.support.purchases import purchase_lines
from tests.support.transforms import assert_builds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_known_customers_by_seller_day_and_currency(spark: SparkSession) -> None:
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | customer_id | currency_code | quantity | line_amount |
        | a        | 0       | 2026-01-05 09:00 | s1        | c1          | KZT           | 2        | 5           |
        | a        | 1       | 2026-01-05 09:00 | s1        | c1          | KZT           | -1       | -1          |
        | b        | 0       | 2026-01-05 23:59 | s1        | c1          | KZT           | 2        | 8           |
        | c        | 0       | 2026-01-05 23:59 | s2        | c1          | KZT           | 3        | 9           |
        | d        | 0       | 2026-01-05 12:00 | s1        | c1          | USD           | 1        | 0.5         |
        | e        | 0       | 2026-01-06 00:00 | s1        | c1          | KZT           | 1        | 4           |
        | f        | 0       | 2026-01-06 00:00 | s1        | c2          | KZT           | -1       | -5          |
        | g        | 0       | 2026-01-06 00:00 | s1        |             | KZT           | 7        | 70          |
    """)
    assert_builds(spark, CustomerDaily, [lines], """
        | customer_id | seller_id | sold_on    | currency_code | order_count | line_count | sold_count |
        | c1          | s1        | 2026-01-05 | KZT           | 2           | 3          | 4          |
        | c1          | s1        | 2026-01-05 | USD           | 1           | 1          | 1          |
        | c1          | s1        | 2026-01-06 | KZT           | 1           | 1          | 1          |
        | c1          | s2        | 2026-01-05 | KZT           | 1           | 1          | 3          |
        | c2          | s1        | 2026-01-06 | KZT           | 0           | 1          | 0          |
    """, """
        | customer_id | seller_id | sold_on    | currency_code | sales_amount | returns_amount | revenue_amount |
        | c1          | s1        | 2026-01-05 | KZT           | 13           | 1              | 12             |
        | c1          | s1        | 2026-01-05 | USD           | 0.5          | 0              | 0.5            |
        | c1          | s1        | 2026-01-06 | KZT           | 4            | 0              | 4              |
        | c1          | s2        | 2026-01-05 | KZT           | 9            | 0              | 9              |
        | c2          | s1        | 2026-01-06 | KZT           | 0            | 5              | -5             |
    """, """
        | customer_id | seller_id | sold_on    | currency_code | returned_count |
        | c1          | s1        | 2026-01-05 | KZT           | 1              |
        | c1          | s1        | 2026-01-05 | USD           | 0              |
        | c1          | s1        | 2026-01-06 | KZT           | 0              |
        | c1          | s2        | 2026-01-05 | KZT           | 0              |
        | c2          | s1        | 2026-01-06 | KZT           | 1              |
    """)  # fmt: skip
