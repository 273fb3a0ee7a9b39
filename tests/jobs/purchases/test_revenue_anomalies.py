"""Days on which a seller's revenue was unusual."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from statistics import median
from typing import TYPE_CHECKING

import pytest

from schemas.contract import contract
from schemas.derive.fakes import Row, fill
from schemas.purchases.gold import RevenueAnomalies, SellerDaily
from tests.support.transforms import assert_builds, build

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MONDAY = date(2026, 1, 5)
WEEK = (100, 90, 90, 95, 140, 200, 60)  # what a day of the week brings, Monday first


def day(number: int, revenue: float, seller: str = "s1") -> Row:
    amount = Decimal(str(revenue))
    given = {"seller_id": seller, "sold_on": MONDAY + timedelta(number), "currency_code": "KZT"}
    return fill(contract(SellerDaily), given | {"revenue_amount": amount}, number)


def season(days: int, seller: str = "s1", seed: int = 1) -> list[Row]:
    chance = Random(seed)
    return [day(n, round(WEEK[n % 7] * 10 * chance.uniform(0.95, 1.05), 2), seller) for n in range(days)]


def expected_by_hand(series: list[Row], at: int) -> tuple[float, float]:
    """The expectation and the score of a day, in plain Python, from the docstring of the table."""
    revenue = [float(row["revenue_amount"]) for row in series]

    def level(n: int) -> float | None:
        return median(revenue[max(0, n - 28) : n]) if n >= 7 else None

    def weekday_effect(n: int) -> float | None:
        same = [m for m in range(n) if series[m]["sold_on"].weekday() == series[n]["sold_on"].weekday()][-8:]
        gaps = [revenue[m] - known for m in same if (known := level(m)) is not None]
        return median(gaps) if gaps else None

    def distance(n: int) -> float | None:
        known, effect = level(n), weekday_effect(n)
        return abs(revenue[n] - known - effect) if known is not None and effect is not None else None

    distances = [d for n in range(max(0, at - 56), at) if (d := distance(n)) is not None]
    known = level(at)
    assert known is not None
    expected = known + (weekday_effect(at) or 0)
    return expected, 0.6745 * (revenue[at] - expected) / max(median(distances), 0.01 * abs(known), 0.0001)


def test_a_planted_day_is_found_and_no_other(spark: SparkSession) -> None:
    planted = season(120)
    planted[90] = day(90, 4_000)
    quiet = season(120, "s2", seed=2)
    rows = build(spark, RevenueAnomalies, planted + quiet)

    (found,) = [row for row in rows if row["is_anomaly"]]
    assert (found["seller_id"], found["sold_on"]) == ("s1", MONDAY + timedelta(90))
    assert found["score"] > 3.5
    assert found["revenue_amount"] == 4_000 > found["high_amount"] > found["expected_amount"] > found["low_amount"]
    assert found["reason"].startswith("4,000.00 KZT is above what is usual for this seller on a Sunday: ")


@pytest.mark.parametrize("at", [28, 29, 63, 119])
def test_the_calculation_is_the_one_that_is_described(spark: SparkSession, at: int) -> None:
    series = season(120)
    found = build(spark, RevenueAnomalies, series)[at]

    expected, score = expected_by_hand(series, at)
    assert float(found["expected_amount"]) == pytest.approx(expected, abs=0.0001)
    assert found["score"] == pytest.approx(score)
    assert found["rule"] == "robust_z"


def test_a_verdict_does_not_change_when_later_days_come(spark: SparkSession) -> None:
    series = season(90)
    series[60] = day(60, 9_000)
    wild = series + [day(n, 100_000) for n in range(90, 120)]

    assert build(spark, RevenueAnomalies, wild)[:90] == build(spark, RevenueAnomalies, series)


def test_the_weekday_counts(spark: SparkSession) -> None:
    series = season(120)
    series[117] = day(117, 950)  # Saturday, as good as a Monday

    (found,) = [row for row in build(spark, RevenueAnomalies, series) if row["is_anomaly"]]
    assert found["sold_on"].weekday() == 5
    assert " is below what is usual for this seller on a Saturday" in found["reason"]


def test_a_shop_that_is_closed_on_saturdays_is_not_unusual(spark: SparkSession) -> None:
    open_days = [row for row in season(140) if row["sold_on"].weekday() != 5]

    rows = build(spark, RevenueAnomalies, open_days)
    assert len(rows) == 120
    assert not any(row["is_anomaly"] for row in rows)


def test_28_earlier_days_are_needed(spark: SparkSession) -> None:
    rows = build(spark, RevenueAnomalies, [*season(27), day(27, 99_000), day(28, 99_000)])

    assert [row["rule"] for row in rows] == ["too_little_history"] * 28 + ["robust_z"]
    assert [row["is_anomaly"] for row in rows[26:]] == [False, False, True]
    early = rows[27]
    assert (early["score"], early["expected_amount"], early["low_amount"], early["high_amount"]) == (0, None, None, None)
    assert early["reason"] == "Not judged: 27 earlier days with sales are known, 28 are needed."


def test_constant_revenue_allows_a_coin_more_but_not_a_tenth(spark: SparkSession) -> None:
    series = [day(n, 100) for n in range(60)]
    series[40], series[50] = day(40, 101), day(50, 110)

    assert [row["sold_on"] for row in build(spark, RevenueAnomalies, series) if row["is_anomaly"]] == [
        MONDAY + timedelta(50)
    ]


def test_days_of_nothing_are_no_reason_to_divide_by_zero(spark: SparkSession) -> None:
    rows = build(spark, RevenueAnomalies, [*(day(n, 0) for n in range(40)), day(40, -5)])

    assert [row["is_anomaly"] for row in rows] == [False] * 40 + [True]


def test_a_single_day_and_none(spark: SparkSession) -> None:
    assert_builds(spark, RevenueAnomalies, [[day(0, 7.5)]], """
        | seller_id | sold_on    | currency_code | revenue_amount | expected_amount | score | is_anomaly | rule               | reason                                                           |
        | s1        | 2026-01-05 | KZT           | 7.5            |                 | 0     | false      | too_little_history | Not judged: 0 earlier days with sales are known, 28 are needed. |
    """)  # fmt: skip
    assert build(spark, RevenueAnomalies, []) == []
