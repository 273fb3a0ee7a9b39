"""Products with their whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.contract import contract
from schemas.purchases.gold import ProductDaily, Products
from tests.support.purchases import purchase_lines
from tests.support.tables import table_from_text
from tests.support.transforms import assert_builds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DAYS = table_from_text(
    contract(ProductDaily),
    """
    | seller_id | product_id | sold_on    | currency_code | order_count | line_count | sales_amount | returns_amount |
    | s1        | tea        | 2026-01-05 | KZT           | 2           | 3          | 20           | 5              |
    | s1        | tea        | 2026-01-07 | KZT           | 1           | 1          | 5            | 0              |
    | s1        | tea        | 2026-01-06 | USD           | 1           | 1          | 0.0001       | 0              |
    | s2        | tea        | 2026-01-06 | KZT           | 1           | 1          | 7            | 0              |
""",
)
for number, row in enumerate(DAYS, start=1):
    row["sold_count"], row["returned_count"] = number, 10 * number
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
        | seller_id | product_id | currency_code | order_count | line_count | sold_count | returned_count |
        | s1        | tea        | KZT           | 3           | 4          | 3          | 30             |
        | s1        | tea        | USD           | 1           | 1          | 3          | 30             |
        | s2        | tea        | KZT           | 1           | 1          | 4          | 40             |
    """, """
        | seller_id | product_id | currency_code | sales_amount | returns_amount | revenue_amount | description |
        | s1        | tea        | KZT           | 25           | 5              | 20             | Black tea   |
        | s1        | tea        | USD           | 0.0001       | 0              | 0.0001         | Black tea   |
        | s2        | tea        | KZT           | 7            | 0              | 7              |             |
    """, """
        | seller_id | product_id | currency_code | first_sold_on | last_sold_on |
        | s1        | tea        | KZT           | 2026-01-05    | 2026-01-07   |
        | s1        | tea        | USD           | 2026-01-06    | 2026-01-06   |
        | s2        | tea        | KZT           | 2026-01-06    | 2026-01-06   |
    """)  # fmt: skip
