"""Sales by seller and day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.purchases.gold import SellerDaily
from tests.support.purchases import purchase_lines
from tests.support.transforms import assert_builds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LINES = purchase_lines("""
    | event_id | line_no | purchased_at     | seller_id | currency_code | customer_id | quantity | line_amount |
    | mixed    | 0       | 2026-01-05 09:00 | s1        | KZT           | c1          | -1       | -2.50       |
    | mixed    | 1       | 2026-01-05 09:00 | s1        | KZT           | c1          | 3        | 7.50        |
    | mixed    | 2       | 2026-01-05 09:00 | s1        | KZT           | c1          | 1        | 0.0001      |
    | plain    | 0       | 2026-01-05 23:59 | s1        | KZT           |             | 2        | 10          |
    | again    | 0       | 2026-01-05 10:00 | s1        | KZT           | c1          | 1        | 1           |
    | dollars  | 0       | 2026-01-05 10:00 | s1        | USD           | c2          | 1        | 99          |
    | next     | 0       | 2026-01-06 00:00 | s1        | KZT           | c2          | 1        | 4           |
    | back     | 0       | 2026-01-07 12:00 | s2        | KZT           | c3          | -2       | -8          |
    | back     | 1       | 2026-01-07 12:00 | s2        | KZT           | c3          | -1       | 3           |
""")


def test_days_of_sellers(spark: SparkSession) -> None:
    assert_builds(spark, SellerDaily, [LINES], """
        | seller_id | sold_on    | currency_code | order_count | line_count | sold_count | returned_count |
        | s1        | 2026-01-05 | KZT           | 3           | 5          | 7          | 1              |
        | s1        | 2026-01-05 | USD           | 1           | 1          | 1          | 0              |
        | s1        | 2026-01-06 | KZT           | 1           | 1          | 1          | 0              |
        | s2        | 2026-01-07 | KZT           | 0           | 2          | 0          | 3              |
    """, """
        | seller_id | sold_on    | currency_code | sales_amount | returns_amount | revenue_amount | customer_count |
        | s1        | 2026-01-05 | KZT           | 18.5001      | 2.5            | 16.0001        | 1              |
        | s1        | 2026-01-05 | USD           | 99           | 0              | 99             | 1              |
        | s1        | 2026-01-06 | KZT           | 4            | 0              | 4              | 1              |
        | s2        | 2026-01-07 | KZT           | 0            | 5              | -5             | 1              |
    """)  # fmt: skip


def test_no_lines_make_no_days(spark: SparkSession) -> None:
    assert_builds(spark, SellerDaily, [[]], "| seller_id | sold_on | currency_code |")


def test_amounts_stay_exact_where_floating_point_would_not(spark: SparkSession) -> None:
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | currency_code | quantity | line_amount         |
        | a        | 0       | 2026-01-05 09:00 | s1        | KZT           | 1        | 90000000000000.0001 |
        | b        | 0       | 2026-01-05 09:00 | s1        | KZT           | 1        | 0.0002              |
    """)
    assert_builds(
        spark,
        SellerDaily,
        [lines],
        """
        | seller_id | sales_amount        |
        | s1        | 90000000000000.0003 |
    """,
    )
