"""Sales by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.purchases.gold import Hourly
from tests.support.purchases import purchase_lines
from tests.support.transforms import assert_builds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_hours_begin_on_the_hour_in_utc(spark: SparkSession) -> None:
    lines = purchase_lines("""
        | event_id | line_no | purchased_at               | seller_id | currency_code | quantity | line_amount |
        | a        | 0       | 2026-03-29T00:59:59.999999 | s1        | KZT           | 1        | 5           |
        | b        | 0       | 2026-03-29T01:00:00        | s1        | KZT           | 1        | 1           |
        | b        | 1       | 2026-03-29T01:00:00        | s1        | KZT           | 2        | 2           |
        | c        | 0       | 2026-03-29T01:30:00        | s1        | KZT           | -1       | -4          |
        | d        | 0       | 2026-03-28T23:30:00        | s1        | KZT           | 1        | 9           |
    """)
    assert_builds(spark, Hourly, [lines], """
        | seller_id | hour_at          | sold_on    | currency_code | order_count | line_count | sold_count |
        | s1        | 2026-03-28 23:00 | 2026-03-28 | KZT           | 1           | 1          | 1          |
        | s1        | 2026-03-29 00:00 | 2026-03-29 | KZT           | 1           | 1          | 1          |
        | s1        | 2026-03-29 01:00 | 2026-03-29 | KZT           | 1           | 3          | 3          |
    """, """
        | seller_id | hour_at          | sold_on    | currency_code | returned_count | sales_amount | returns_amount |
        | s1        | 2026-03-28 23:00 | 2026-03-28 | KZT           | 0              | 9            | 0              |
        | s1        | 2026-03-29 00:00 | 2026-03-29 | KZT           | 0              | 5            | 0              |
        | s1        | 2026-03-29 01:00 | 2026-03-29 | KZT           | 1              | 3            | 4              |
    """, """
        | seller_id | hour_at          | sold_on    | currency_code | revenue_amount |
        | s1        | 2026-03-28 23:00 | 2026-03-28 | KZT           | 9              |
        | s1        | 2026-03-29 00:00 | 2026-03-29 | KZT           | 5              |
        | s1        | 2026-03-29 01:00 | 2026-03-29 | KZT           | -1             |
    """)  # fmt: skip
