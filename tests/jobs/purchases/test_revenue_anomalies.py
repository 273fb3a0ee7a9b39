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
from tests.support.transforms import build

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MONDAY = date(2026, 1, 5)
WEEK = (100, 90, 90, 95, 140, 200, 60)  # what a day of the week brings, Monday first


def day(number: int, revenue: float, seller: str = "s1") -> Row:
    amount, none = Decimal(str(revenue)), Decimal(0)
    given = {"seller_id": seller, "sold_on": MONDAY + timedelta(number), "currency_code": "KZT"}
    # All three are given, for `fill` would look long for sales and returns that make just this revenue.
    money = {"revenue_amount": amount, "sales_amount": max(amount, none), "returns_amount": max(-amount, none)}
    return fill(contract(SellerDaily), given | money, number)


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


def changed(series: list[Row], **days: float) -> list[Row]:
    """The series with other revenue on some days, e.g. d90=4_000."""
    seller = series[0]["seller_id"]
    return [day(n, days[f"d{n}"], seller) if f"d{n}" in days else row for n, row in enumerate(series)]


SERIES = {
    "planted": changed(season(120, "planted"), d90=4_000),
    "quiet": season(120, "quiet", seed=2),
    "saturday": changed(season(120, "saturday"), d117=950),  # as good as a Monday
    "closed": [row for row in season(140, "closed") if row["sold_on"].weekday() != 5],
    "young": [*season(27, "young"), day(27, 99_000, "young"), day(28, 99_000, "young")],
    "constant": changed([day(n, 100, "constant") for n in range(60)], d40=101, d50=110),
    "nothing": [*(day(n, 0, "nothing") for n in range(40)), day(40, -5, "nothing")],
    "before": changed(season(90, "before"), d60=9_000),
    "later": changed(season(90, "later"), d60=9_000) + [day(n, 100_000, "later") for n in range(90, 120)],
    "single": [day(0, 7.5, "single")],
}


@pytest.fixture(scope="module")
def judged(spark: SparkSession) -> dict[str, list[Row]]:
    """Seller → the rows of its days; all sellers are judged in one go, which is faster and proves them independent."""
    rows = build(spark, RevenueAnomalies, [row for series in SERIES.values() for row in series])
    return {seller: [row for row in rows if row["seller_id"] == seller] for seller in SERIES}


def unusual(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["is_anomaly"]]


def test_a_planted_day_is_found_and_no_other(judged: dict[str, list[Row]]) -> None:
    (actual,) = unusual(judged["planted"])

    assert actual["sold_on"] == MONDAY + timedelta(90)
    assert actual["score"] > 3.5
    assert actual["revenue_amount"] == 4_000 > actual["high_amount"] > actual["expected_amount"] > actual["low_amount"]
    assert actual["reason"].startswith("4,000.00 KZT is above what is usual for this seller on a Sunday: ")
    assert not unusual(judged["quiet"])


@pytest.mark.parametrize("at", [28, 29, 63, 119])
def test_the_calculation_is_the_one_that_is_described(judged: dict[str, list[Row]], at: int) -> None:
    actual = judged["planted"][at]

    expected, score = expected_by_hand(SERIES["planted"], at)
    assert float(actual["expected_amount"]) == pytest.approx(expected, abs=0.0001)
    assert actual["score"] == pytest.approx(score)
    assert actual["rule"] == "robust_z"


def test_a_verdict_does_not_change_when_later_days_come(judged: dict[str, list[Row]]) -> None:
    without_seller = [[{**row, "seller_id": ""} for row in judged[name][:90]] for name in ("before", "later")]

    assert without_seller[0] == without_seller[1]


def test_the_weekday_counts(judged: dict[str, list[Row]]) -> None:
    (actual,) = unusual(judged["saturday"])

    assert actual["sold_on"].weekday() == 5
    assert " is below what is usual for this seller on a Saturday" in actual["reason"]


def test_a_shop_that_is_closed_on_saturdays_is_not_unusual(judged: dict[str, list[Row]]) -> None:
    assert len(judged["closed"]) == 120
    assert not unusual(judged["closed"])


def test_28_earlier_days_are_needed(judged: dict[str, list[Row]]) -> None:
    rows = judged["young"]

    assert [row["rule"] for row in rows] == ["too_little_history"] * 28 + ["robust_z"]
    assert [row["is_anomaly"] for row in rows[26:]] == [False, False, True]
    early = rows[27]
    assert (early["score"], early["expected_amount"], early["low_amount"], early["high_amount"]) == (
        0,
        None,
        None,
        None,
    )
    assert early["reason"] == "Not judged: 27 earlier days with sales are known, 28 are needed."


def test_constant_revenue_allows_a_coin_more_but_not_a_tenth(judged: dict[str, list[Row]]) -> None:
    assert [row["sold_on"] for row in unusual(judged["constant"])] == [MONDAY + timedelta(50)]


def test_days_of_nothing_are_no_reason_to_divide_by_zero(judged: dict[str, list[Row]]) -> None:
    assert [row["sold_on"] for row in unusual(judged["nothing"])] == [MONDAY + timedelta(40)]


def test_a_single_day_is_not_judged(judged: dict[str, list[Row]]) -> None:
    (only,) = judged["single"]

    assert only["revenue_amount"] == Decimal("7.5")
    assert (only["rule"], only["score"], only["expected_amount"]) == ("too_little_history", 0, None)


def test_no_days_make_no_verdicts(spark: SparkSession) -> None:
    assert build(spark, RevenueAnomalies, []) == []
