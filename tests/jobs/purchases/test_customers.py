"""Customers with their whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.purchases.gold import Customers
from tests.support.purchases import purchase_lines
from tests.support.transforms import assert_builds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_known_customers_only_returns_counted_by_purchase(spark: SparkSession) -> None:
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | customer_id | currency_code | quantity | line_amount |
        | a        | 0       | 2026-01-05 09:00 | s1        | c1          | KZT           | 1        | 5           |
        | a        | 1       | 2026-01-05 09:00 | s1        | c1          | KZT           | -1       | -1          |
        | a        | 2       | 2026-01-05 09:00 | s1        | c1          | KZT           | -1       | -1          |
        | b        | 0       | 2026-02-05 09:00 | s2        | c1          | KZT           | 2        | 8           |
        | c        | 0       | 2026-03-01 00:00 | s1        | c2          | KZT           | -1       | -5          |
        | d        | 0       | 2026-03-01 00:00 | s1        |             | KZT           | 7        | 70          |
    """)
    assert_builds(spark, Customers, [lines], """
        | customer_id | currency_code | order_count | line_count | sold_count | returned_count | sales_amount |
        | c1          | KZT           | 2           | 4          | 3          | 2              | 13           |
        | c2          | KZT           | 0           | 1          | 0          | 1              | 0            |
    """, """
        | customer_id | currency_code | returns_amount | revenue_amount | return_count | first_purchased_at |
        | c1          | KZT           | 2              | 11             | 1            | 2026-01-05 09:00   |
        | c2          | KZT           | 5              | -5             | 1            | 2026-03-01 00:00   |
    """, """
        | customer_id | currency_code | last_purchased_at |
        | c1          | KZT           | 2026-02-05 09:00  |
        | c2          | KZT           | 2026-03-01 00:00  |
    """)  # fmt: skip
