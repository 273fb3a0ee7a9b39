"""Products with their whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.purchases.gold import Products
from tests.support.purchases import purchase_lines
from tests.support.transforms import assert_builds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DAYS = """
    | seller_id | product_id | sold_on    | currency_code | order_count | line_count | sold_count | returned_count | sales_amount | returns_amount | revenue_amount |
    | s1        | tea        | 2026-01-05 | KZT           | 2           | 3          | 4          | 1              | 20           | 5              | 15             |
    | s1        | tea        | 2026-01-07 | KZT           | 1           | 1          | 1          | 0              | 5            | 0              | 5              |
    | s1        | tea        | 2026-01-06 | USD           | 1           | 1          | 1          | 0              | 0.0001       | 0              | 0.0001         |
    | s2        | tea        | 2026-01-06 | KZT           | 1           | 1          | 1          | 0              | 7            | 0              | 7              |
"""  # fmt: skip
LINES = """
    | event_id | line_no | purchased_at     | seller_id | product_id | description | quantity | line_amount |
    | a        | 0       | 2026-01-05 09:00 | s1        | tea        | Tea (old)   | 1        | 5           |
    | b        | 0       | 2026-01-07 09:00 | s1        | tea        | Black tea   | 1        | 5           |
    | b        | 1       | 2026-01-07 09:00 | s1        | tea        | A black tea | 1        | 5           |
    | c        | 0       | 2026-01-08 09:00 | s1        | tea        |             | 1        | 5           |
    | d        | 0       | 2026-01-06 09:00 | s2        | tea        |             | 1        | 7           |
"""


def test_days_add_up_and_the_latest_name_is_kept(spark: SparkSession) -> None:
    assert_builds(spark, Products, [DAYS, purchase_lines(LINES)], """
        | seller_id | product_id | currency_code | order_count | line_count | sold_count | returned_count | sales_amount | returns_amount | revenue_amount | description | first_sold_on | last_sold_on |
        | s1        | tea        | KZT           | 3           | 4          | 5          | 1              | 25           | 5              | 20             | Black tea   | 2026-01-05    | 2026-01-07   |
        | s1        | tea        | USD           | 1           | 1          | 1          | 0              | 0.0001       | 0              | 0.0001         | Black tea   | 2026-01-06    | 2026-01-06   |
        | s2        | tea        | KZT           | 1           | 1          | 1          | 0              | 7            | 0              | 7              |             | 2026-01-06    | 2026-01-06   |
    """)  # fmt: skip
