"""How many customers ordered, and how many came again."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from schemas.derive.fakes import Row
from schemas.purchases.gold import RepeatPeriods
from tests.support.transforms import assert_builds, build

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Saturday and Sunday are in the week of Monday the 26th, and in two months. c3 only returned something.
CUSTOMERS = """
    | customer_id | seller_id | sold_on    | currency_code | order_count |
    | c1          | s1        | 2026-01-31 | KZT           | 1           |
    | c1          | s1        | 2026-02-01 | USD           | 1           |
    | c1          | s2        | 2026-02-02 | KZT           | 1           |
    | c2          | s1        | 2026-01-31 | KZT           | 2           |
    | c3          | s1        | 2026-02-01 | KZT           | 0           |
"""
SELLERS = """
    | seller_id | sold_on    | currency_code |
    | s1        | 2026-01-31 | KZT           |
    | s2        | 2026-02-05 | KZT           |
"""
COUNTED = """
    | period_kind | period_started_on | seller_id | active_customer_count | repeat_customer_count | new_customer_count |
    | all         | 2026-01-31        | ''        | 2                     | 2                     | 2                  |
    | all         | 2026-01-31        | s1        | 2                     | 2                     | 2                  |
    | all         | 2026-02-02        | s2        | 1                     | 0                     | 1                  |
    | day         | 2026-01-31        | ''        | 2                     | 1                     | 2                  |
    | day         | 2026-01-31        | s1        | 2                     | 1                     | 2                  |
    | day         | 2026-02-01        | ''        | 1                     | 0                     | 0                  |
    | day         | 2026-02-01        | s1        | 1                     | 0                     | 0                  |
    | day         | 2026-02-02        | ''        | 1                     | 0                     | 0                  |
    | day         | 2026-02-02        | s2        | 1                     | 0                     | 1                  |
    | month       | 2026-01-01        | ''        | 2                     | 1                     | 2                  |
    | month       | 2026-01-01        | s1        | 2                     | 1                     | 2                  |
    | month       | 2026-02-01        | ''        | 1                     | 1                     | 0                  |
    | month       | 2026-02-01        | s1        | 1                     | 0                     | 0                  |
    | month       | 2026-02-01        | s2        | 1                     | 0                     | 1                  |
    | week        | 2026-01-26        | ''        | 2                     | 2                     | 2                  |
    | week        | 2026-01-26        | s1        | 2                     | 2                     | 2                  |
    | week        | 2026-02-02        | ''        | 1                     | 0                     | 0                  |
    | week        | 2026-02-02        | s2        | 1                     | 0                     | 1                  |
"""


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> list[Row]:
    return build(spark, RepeatPeriods, CUSTOMERS, SELLERS)


def test_customers_of_periods_by_seller_and_of_all_together(spark: SparkSession) -> None:
    assert_builds(spark, RepeatPeriods, [CUSTOMERS, SELLERS], COUNTED)


def test_orders_and_rates(rows: list[Row]) -> None:
    actual = {(r["period_kind"], str(r["period_started_on"]), r["seller_id"]): r for r in rows}

    week = actual["week", "2026-01-26", "s1"]
    assert (week["known_order_count"], week["returning_order_count"]) == (4, 2)
    assert (week["repeat_rate_pct"], week["returning_order_pct"]) == (100, 50)
    ever = actual["all", "2026-01-31", ""]
    assert (ever["known_order_count"], ever["returning_order_count"]) == (5, 3)
    assert ever["returning_order_pct"] == pytest.approx(60)
    # Of all sellers' orders in February none is a customer's first, of one seller's one is.
    february = actual["month", "2026-02-01", ""]
    assert (february["known_order_count"], february["returning_order_count"]) == (2, 2)
    assert actual["month", "2026-02-01", "s2"]["returning_order_count"] == 0
    assert {row["as_of_on"] for row in rows} == {date(2026, 2, 5)}


def test_a_period_that_is_over_does_not_change_when_later_days_come(spark: SparkSession, rows: list[Row]) -> None:
    earlier = "\n".join(line for line in CUSTOMERS.splitlines() if "2026-02" not in line)
    before = build(spark, RepeatPeriods, earlier, SELLERS)

    assert [row for row in before if row["period_kind"] == "month"] == [
        row for row in rows if row["period_kind"] == "month" and row["period_started_on"] == date(2026, 1, 1)
    ]
