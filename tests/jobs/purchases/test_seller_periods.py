"""Sales and baskets by day, week and month."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from schemas.derive.fakes import Row
from schemas.purchases.gold import BasketDaily, SellerPeriods
from tests.support.purchases import purchase_lines
from tests.support.transforms import assert_builds, build

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Saturday and Sunday are in the week of Monday the 26th, and in two months.
LINES = purchase_lines("""
    | event_id | line_no | purchased_at     | seller_id | currency_code | quantity | line_amount |
    | a        | 0       | 2026-01-31 09:00 | s1        | KZT           | 1        | 6           |
    | a        | 1       | 2026-01-31 09:00 | s1        | KZT           | 1        | 4           |
    | a        | 2       | 2026-01-31 09:00 | s1        | KZT           | -1       | -3          |
    | b        | 0       | 2026-02-01 09:00 | s1        | KZT           | 5        | 20          |
    | c        | 0       | 2026-02-01 09:00 | s1        | KZT           | 1        | 60          |
    | d        | 0       | 2026-02-01 23:59 | s2        | KZT           | 1        | 7           |
    | e        | 0       | 2026-02-02 00:00 | s1        | KZT           | 1        | 1           |
    | f        | 0       | 2026-02-02 00:00 | s1        | USD           | 1        | 0.0002      |
    | g        | 0       | 2026-02-02 00:00 | s1        | USD           | 1        | 0.0001      |
    | back     | 0       | 2026-01-25 12:00 | s3        | KZT           | -2       | -8          |
""")


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> list[Row]:
    return build(spark, SellerPeriods, LINES)


def test_weeks_and_months_of_sellers_and_of_all_together(spark: SparkSession) -> None:
    lines = [line for line in LINES if line["currency_code"] == "KZT" and line["seller_id"] != "s3"]
    assert_builds(spark, SellerPeriods, [lines], """
        | period_kind | period_started_on | seller_id | order_count | line_count | sold_count | revenue_amount |
        | day         | 2026-01-31        | ''        | 1           | 3          | 2          | 7              |
        | day         | 2026-01-31        | s1        | 1           | 3          | 2          | 7              |
        | day         | 2026-02-01        | ''        | 3           | 3          | 7          | 87             |
        | day         | 2026-02-01        | s1        | 2           | 2          | 6          | 80             |
        | day         | 2026-02-01        | s2        | 1           | 1          | 1          | 7              |
        | day         | 2026-02-02        | ''        | 1           | 1          | 1          | 1              |
        | day         | 2026-02-02        | s1        | 1           | 1          | 1          | 1              |
        | month       | 2026-01-01        | ''        | 1           | 3          | 2          | 7              |
        | month       | 2026-01-01        | s1        | 1           | 3          | 2          | 7              |
        | month       | 2026-02-01        | ''        | 4           | 4          | 8          | 88             |
        | month       | 2026-02-01        | s1        | 3           | 3          | 7          | 81             |
        | month       | 2026-02-01        | s2        | 1           | 1          | 1          | 7              |
        | week        | 2026-01-26        | ''        | 4           | 6          | 9          | 94             |
        | week        | 2026-01-26        | s1        | 3           | 5          | 8          | 87             |
        | week        | 2026-01-26        | s2        | 1           | 1          | 1          | 7              |
        | week        | 2026-02-02        | ''        | 1           | 1          | 1          | 1              |
        | week        | 2026-02-02        | s1        | 1           | 1          | 1          | 1              |
    """)  # fmt: skip


def of(rows: list[Row], kind: str, day: str, seller: str, currency: str = "KZT") -> Row:
    (actual,) = [
        row
        for row in rows
        if (row["period_kind"], str(row["period_started_on"]), row["seller_id"], row["currency_code"])
        == (kind, day, seller, currency)
    ]
    return actual


def test_baskets_of_a_week_are_those_of_its_purchases(rows: list[Row]) -> None:
    week = of(rows, "week", "2026-01-26", "s1")

    assert (week["mean_amount"], week["median_amount"], week["largest_amount"]) == (30, 20, 60)
    assert week["mean_lines"] == pytest.approx(4 / 3)
    assert week["median_lines"] == 1
    assert (week["sales_amount"], week["returns_amount"], week["returned_count"]) == (90, 3, 1)


def test_baskets_of_all_sellers_are_no_mean_of_the_sellers(rows: list[Row]) -> None:
    week = of(rows, "week", "2026-01-26", "")

    assert (week["mean_amount"], week["median_amount"]) == (Decimal("24.25"), 10)
    assert (week["mean_lines"], week["median_lines"]) == (1.25, 1)


def test_currencies_stay_apart_and_means_are_rounded_half_up(rows: list[Row]) -> None:
    dollars = of(rows, "month", "2026-02-01", "s1", "USD")

    assert (dollars["order_count"], dollars["sales_amount"]) == (2, Decimal("0.0003"))
    assert (dollars["mean_amount"], dollars["median_amount"]) == (Decimal("0.0002"), Decimal("0.0001"))


def test_a_period_of_returns_has_revenue_and_no_basket(rows: list[Row]) -> None:
    month = of(rows, "month", "2026-01-01", "s3")

    assert (month["order_count"], month["line_count"], month["revenue_amount"]) == (0, 1, -8)
    baskets = ("mean_lines", "median_lines", "mean_amount", "median_amount", "largest_amount")
    assert [month[column] for column in baskets] == [None] * 5


def test_days_are_those_of_the_daily_table_of_baskets(spark: SparkSession, rows: list[Row]) -> None:
    columns = ("mean_lines", "median_lines", "mean_amount", "median_amount", "largest_amount")
    days = build(spark, BasketDaily, LINES)

    assert len(days) == 5
    for day in days:
        same = of(rows, "day", str(day["sold_on"]), day["seller_id"], day["currency_code"])
        assert {c: same[c] for c in columns} == {c: day[c] for c in columns}
