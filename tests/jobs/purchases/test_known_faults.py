"""Faults that sales figures are known for: each of these tests fails for the computation that has the fault.

Two more are faults of what the stream shows at once: a top list taken per block, and copies that are removed only where
whole rows agree. Their tests are in tests/infra/test_sales_views.py; that the lake keeps one of two copies with
other offsets and times, in tests/streaming/core/test_lake.py.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from schemas.derive.fakes import Row
from schemas.purchases.gold import (
    CustomerDaily,
    Customers,
    Hourly,
    ProductDaily,
    RepeatPeriods,
    SellerDaily,
    SellerPeriods,
)
from tests.support.purchases import purchase_lines
from tests.support.transforms import build

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# The first of four purchases has three lines, two of one product. Years ago: today's clock must not count.
LINES = purchase_lines("""
    | event_id | line_no | purchased_at     | seller_id | customer_id | product_id | quantity | unit_price_amount | line_amount |
    | a        | 0       | 2011-12-05 09:00 | s1        | c1          | tea        | 3        | 2.50              | 7.50        |
    | a        | 1       | 2011-12-05 09:00 | s1        | c1          | tea        | 2        | 2.50              | 5           |
    | a        | 2       | 2011-12-05 09:00 | s1        | c1          | milk       | 4        | 10                | 40          |
    | b        | 0       | 2011-12-06 09:00 | s1        | c1          | tea        | 1        | 2.50              | 2.50        |
    | c        | 0       | 2011-12-06 09:00 | s1        | c2          | tea        | 2        | 2.50              | 5           |
    | d        | 0       | 2011-12-06 09:00 | s1        | c2          | tea        | 2        | 2.50              | 5           |
""")  # noqa: E501
BY_LINES = [SellerDaily, ProductDaily, Hourly, Customers, CustomerDaily]


@pytest.fixture(scope="module")
def built(spark: SparkSession) -> dict[type, list[Row]]:
    """The tables that are made of the lines, and what is made of these."""
    result = {table: build(spark, table, LINES) for table in (*BY_LINES, SellerPeriods)}
    return result | {RepeatPeriods: build(spark, RepeatPeriods, result[CustomerDaily], result[SellerDaily])}


def week(rows: list[Row]) -> Row:
    (actual,) = [row for row in rows if row["period_kind"] == "week" and row["seller_id"] == "s1"]
    return actual


@pytest.mark.parametrize("table", BY_LINES, ids=lambda t: t.__name__)
def test_revenue_is_quantity_times_price(built: dict[type, list[Row]], table: type) -> None:
    """The fault: the sum of the prices, 22.50."""
    assert sum(row["revenue_amount"] for row in built[table]) == 65


@pytest.mark.parametrize("table", BY_LINES, ids=lambda t: t.__name__)
def test_orders_are_purchases(built: dict[type, list[Row]], table: type) -> None:
    """The fault: as many orders as rows, 6. A purchase counts once for each of its products."""
    wanted = {"tea": 4, "milk": 1} if table is ProductDaily else {None: 4}
    orders_by_product: Counter[str | None] = Counter()
    for row in built[table]:
        orders_by_product[row.get("product_id")] += row["order_count"]

    assert orders_by_product == wanted


def test_a_mean_of_a_week_is_not_the_mean_of_its_days(built: dict[type, list[Row]]) -> None:
    """The fault: the mean of 52.50 and 12.50 / 3, which is 28.33."""
    actual = week(built[SellerPeriods])

    assert actual["mean_amount"] == Decimal("16.25")
    assert actual["median_amount"] == 5


def test_customers_and_rates_of_a_week_are_not_made_from_its_days(built: dict[type, list[Row]]) -> None:
    """The faults: three customers, the sum of the days'; a rate of 25 %, the mean of the days'."""
    actual = week(built[RepeatPeriods])

    assert (actual["active_customer_count"], actual["repeat_customer_count"], actual["repeat_rate_pct"]) == (2, 2, 100)


def test_the_newest_day_of_the_data_is_the_clock(built: dict[type, list[Row]]) -> None:
    """The fault: today's date, with which the same data says something else tomorrow."""
    assert {row["as_of_on"] for row in built[RepeatPeriods]} == {date(2011, 12, 6)}
