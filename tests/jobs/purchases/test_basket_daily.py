"""How large baskets are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.purchases.gold import BasketDaily
from tests.support.purchases import purchase_lines
from tests.support.transforms import assert_builds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_baskets_hold_sold_lines_only(spark: SparkSession) -> None:
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | currency_code | quantity | line_amount |
        | a        | 0       | 2026-01-05 09:00 | s1        | KZT           | -1       | -3          |
        | a        | 1       | 2026-01-05 09:00 | s1        | KZT           | 2        | 10          |
        | a        | 2       | 2026-01-05 09:00 | s1        | KZT           | 1        | 20          |
        | b        | 0       | 2026-01-05 09:00 | s1        | KZT           | 1        | 0.0001      |
        | back     | 0       | 2026-01-05 09:00 | s1        | KZT           | -9       | -90         |
        | back2    | 0       | 2026-01-06 09:00 | s1        | KZT           | -9       | -90         |
    """)
    assert_builds(spark, BasketDaily, [lines], """
        | seller_id | sold_on    | currency_code | basket_count | line_count | sold_count | sales_amount |
        | s1        | 2026-01-05 | KZT           | 2            | 3          | 4          | 30.0001      |
    """, """
        | seller_id | sold_on    | currency_code | mean_lines | median_lines | mean_amount | median_amount |
        | s1        | 2026-01-05 | KZT           | 1.5        | 1.5          | 15.0001     | 0.0001        |
    """, """
        | seller_id | sold_on    | currency_code | largest_amount |
        | s1        | 2026-01-05 | KZT           | 30             |
    """)  # fmt: skip


def test_medians_of_odd_and_tied_baskets(spark: SparkSession) -> None:
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | currency_code | quantity | line_amount |
        | a        | 0       | 2026-01-05 09:00 | odd       | KZT           | 1        | 1           |
        | b        | 0       | 2026-01-05 09:00 | odd       | KZT           | 1        | 5           |
        | c        | 0       | 2026-01-05 09:00 | odd       | KZT           | 1        | 100         |
        | d        | 0       | 2026-01-05 09:00 | tied      | KZT           | 1        | 5           |
        | e        | 0       | 2026-01-05 09:00 | tied      | KZT           | 1        | 5           |
        | f        | 0       | 2026-01-05 09:00 | tied      | KZT           | 1        | 7           |
        | g        | 0       | 2026-01-05 09:00 | tied      | KZT           | 1        | 1           |
    """)
    assert_builds(
        spark,
        BasketDaily,
        [lines],
        """
        | seller_id | median_lines | mean_amount | median_amount |
        | odd       | 1            | 35.3333     | 5             |
        | tied      | 1            | 4.5         | 5             |
    """,
    )
