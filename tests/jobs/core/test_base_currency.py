"""Which rate holds on a day, and what money is worth by it: figures worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from conf.spark import BASE_CURRENCY, RATE_DAYS
from jobs.core.base_currency import DAY, UNIT, daily, unit_rates
from schemas.contract import contract
from schemas.purchases.gold import (
    CategoryDaily,
    CustomerDaily,
    Hourly,
    ProductDaily,
    Products,
    SellerDaily,
    SellerPeriods,
)
from schemas.rates.silver import ExchangeRates
from tests.support.purchases import purchase_lines
from tests.support.tables import table_from_text
from tests.support.transforms import assert_builds, build, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

RATES = contract(ExchangeRates)
# Friday the 2nd and Monday the 5th; the dollar of the 2nd was published again, later and higher.
NBK = """
    | event_id | base_currency_code | currency_code | quoted_on  | rate     | quantity | changed_at       |
    | u1       | KZT                | USD           | 2026-01-02 | 500      | 1        | 2026-01-02 11:00 |
    | u2       | KZT                | USD           | 2026-01-02 | 505.5    | 1        | 2026-01-02 12:00 |
    | u3       | KZT                | USD           | 2026-01-05 | 510.25   | 1        | 2026-01-05 11:00 |
    | z1       | KZT                | UZS           | 2026-01-02 | 4.21     | 100      | 2026-01-02 11:00 |
    | z2       | KZT                | UZS           | 2026-01-05 | 4.25     | 100      | 2026-01-05 11:00 |
    | k1       | KZT                | KGS           | 2026-01-02 | 17       | 3        | 2026-01-02 11:00 |
"""
LINES = purchase_lines("""
    | event_id | line_no | purchased_at     | seller_id | product_id | customer_id | currency_code | quantity | line_amount |
    | tenge    | 0       | 2026-01-05 09:00 | s1        | tea        | c1          | KZT           | 1        | 1000.1234   |
    | dollars  | 0       | 2026-01-05 09:00 | s1        | tea        | c1          | USD           | 2        | 10.01       |
    | back     | 0       | 2026-01-05 10:00 | s1        | tea        | c1          | USD           | -1       | -10.01      |
    | sunday   | 0       | 2026-01-04 10:00 | s2        | tea        | c1          | USD           | 1        | 0.0001      |
    | sunday   | 1       | 2026-01-04 10:00 | s2        | rice       | c1          | USD           | 1        | 0.0003      |
    | soms     | 0       | 2026-01-05 10:00 | s2        | rice       | c2          | UZS           | 1        | 12345.67    |
    | none     | 0       | 2026-01-05 10:00 | s2        | rice       | c2          | EUR           | 1        | 7           |
    | none     | 1       | 2026-01-05 10:00 | s2        | tea        | c2          | EUR           | 1        | 8           |
    | late     | 0       | 2026-01-13 10:00 | s2        | rice       | c2          | USD           | 1        | 1           |
    | last     | 0       | 2026-01-12 10:00 | s2        | rice       | c2          | USD           | 1        | 1           |
""")  # noqa: E501


@pytest.fixture
def base(spark: SparkSession) -> Iterator[Any]:
    """Sets the base currency, and for how many days a rate holds."""

    def chosen(currency: str, days: int = 7) -> None:
        spark.conf.set(BASE_CURRENCY, currency)
        spark.conf.set(RATE_DAYS, str(days))

    yield chosen
    chosen("KZT")


def held(spark: SparkSession, text: str) -> dict[tuple[str, date], Decimal]:
    actual = daily(unit_rates(frame(spark, RATES, text)), "currency_code").collect()
    every = {(row["currency_code"], row[DAY]): row[UNIT] for row in actual}
    assert len(every) == len(actual)
    return every


def day(number: int) -> date:
    return date(2026, 1, number)


def test_a_rate_holds_until_a_newer_one_or_for_seven_days(spark: SparkSession) -> None:
    actual = held(spark, NBK)

    # The day published again: the later one. The weekend has Friday's.
    assert [actual["USD", day(n)] for n in (2, 3, 4)] == [Decimal("505.5")] * 3
    assert [actual["USD", day(n)] for n in (5, 12)] == [Decimal("510.25")] * 2
    assert ("USD", day(1)) not in actual
    assert ("USD", day(13)) not in actual
    assert actual["UZS", day(5)] == Decimal("0.0425")
    # 17 / 3, half up at the twelfth digit.
    assert actual["KGS", day(9)] == Decimal("5.666666666667")
    assert ("KGS", day(10)) not in actual


def test_how_long_a_rate_holds_is_a_setting(spark: SparkSession, base: Any) -> None:
    base("KZT", 0)

    assert {when for code, when in held(spark, NBK) if code == "USD"} == {day(2), day(5)}


def test_another_base_currency_has_cross_rates(spark: SparkSession, base: Any) -> None:
    base("USD")
    actual = held(spark, NBK)

    # 1 / 505.5, and 0.0421 / 505.5; on the 5th 1 / 510.25 and 0.0425 / 510.25.
    assert actual["KZT", day(2)] == Decimal("0.001978239367")
    assert actual["UZS", day(3)] == Decimal("0.000083283877")
    assert actual["KZT", day(5)] == Decimal("0.001959823616")
    assert actual["UZS", day(5)] == Decimal("0.000083292504")
    assert "USD" not in {code for code, _ in actual}


def test_rates_to_the_base_currency_go_before_cross_rates(spark: SparkSession, base: Any) -> None:
    base("EUR")
    actual = held(spark, """
        | event_id | base_currency_code | currency_code | quoted_on  | rate | quantity | changed_at       |
        | a        | KZT                | USD           | 2026-01-02 | 500  | 1        | 2026-01-02 11:00 |
        | b        | KZT                | EUR           | 2026-01-02 | 600  | 1        | 2026-01-02 11:00 |
        | c        | EUR                | USD           | 2026-01-02 | 0.9  | 1        | 2026-01-02 10:00 |
    """)  # fmt: skip

    assert (actual["USD", day(2)], actual["KZT", day(2)]) == (Decimal("0.9"), Decimal("0.001666666667"))


def test_each_line_is_rounded_and_what_has_no_rate_is_counted(spark: SparkSession) -> None:
    assert_builds(spark, SellerDaily, [LINES, table_from_text(RATES, NBK)], """
        | seller_id | sold_on    | currency_code | revenue_amount | base_currency_code | revenue_base_amount | unconverted_line_count |
        | s1        | 2026-01-05 | KZT           | 1000.1234      | KZT                | 1000.1234           | 0                      |
        | s1        | 2026-01-05 | USD           | 0              | KZT                | 0                   | 0                      |
        | s2        | 2026-01-04 | USD           | 0.0004         | KZT                | 0.2023              | 0                      |
        | s2        | 2026-01-05 | UZS           | 12345.67       | KZT                | 524.6910            | 0                      |
        | s2        | 2026-01-05 | EUR           | 15             | KZT                |                     | 2                      |
        | s2        | 2026-01-12 | USD           | 1              | KZT                | 510.25              | 0                      |
        | s2        | 2026-01-13 | USD           | 1              | KZT                |                     | 1                      |
    """)  # fmt: skip # noqa: E501


def test_all_tables_come_to_the_same_total(spark: SparkSession) -> None:
    """Whatever lines are added up by: rounded sums would not."""
    rates = table_from_text(RATES, NBK)
    tables = (SellerDaily, ProductDaily, Hourly, CustomerDaily)
    result = {table: build(spark, table, LINES, rates) for table in tables}
    result[CategoryDaily] = build(spark, CategoryDaily, LINES, [], rates)
    result[Products] = build(spark, Products, result[ProductDaily], LINES)
    periods = build(spark, SellerPeriods, LINES, rates)
    for kind in ("day", "week", "month"):
        for whole in (True, False):
            result[kind, whole] = [p for p in periods if p["period_kind"] == kind and (p["seller_id"] == "") is whole]

    # 1000.1234 + 5107.6025 - 5107.6025 + 0.0506 + 0.1517 + 524.6910 + 510.25
    totals = {name: sum(row["revenue_base_amount"] or 0 for row in rows) for name, rows in result.items()}
    assert set(totals.values()) == {Decimal("2035.2667")}, totals
    counts = {name: sum(row["unconverted_line_count"] for row in rows) for name, rows in result.items()}
    assert set(counts.values()) == {3}


def test_no_digit_is_lost_and_half_goes_away_from_zero(spark: SparkSession) -> None:
    """On either way to a product: within a BIGINT, and beyond it by decimals."""
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | currency_code | quantity | line_amount       |
        | half     | 0       | 2026-01-05 09:00 | s1        | USD           | 1        | 0.0001            |
        | half2    | 0       | 2026-01-05 09:00 | s2        | USD           | -1       | -0.0001           |
        | large    | 0       | 2026-01-05 09:00 | s3        | USD           | 1        | 99999999999.9999  |
        | larger   | 0       | 2026-01-05 09:00 | s4        | USD           | -1       | -999999999999.9999 |
        | fine     | 0       | 2026-01-05 09:00 | s5        | EUR           | 1        | 999999999999.9999 |
        | tenge    | 0       | 2026-01-05 09:00 | s6        | KZT           | -1       | -123456789012.3456 |
    """)
    rates = """
        | event_id | base_currency_code | currency_code | quoted_on  | rate           | quantity | changed_at       |
        | u1       | KZT                | USD           | 2026-01-05 | 510.5          | 1        | 2026-01-05 11:00 |
        | e1       | KZT                | EUR           | 2026-01-05 | 0.123456789012 | 1        | 2026-01-05 11:00 |
    """
    actual = {r["seller_id"]: r["revenue_base_amount"] for r in build(spark, SellerDaily, lines,
                                                                     table_from_text(RATES, rates))}  # fmt: skip

    assert actual == {
        "s1": Decimal("0.0511"), "s2": Decimal("-0.0511"),
        # 99999999999.9999 * 510.5 = 51049999999999.94895; ten times as much: 510499999999999.94895.
        "s3": Decimal("51049999999999.9490"), "s4": Decimal("-510499999999999.9490"),
        # 123456789012 less 0.0001 * 0.123…, half up.
        "s5": Decimal("123456789012.0000"), "s6": Decimal("-123456789012.3456"),
    }  # fmt: skip


def test_the_dearest_purchase_of_all_has_a_base_amount_too(spark: SparkSession) -> None:
    """What the contract accepts must not stop the night, whatever the rate."""
    lines = purchase_lines("""
        | event_id | line_no | purchased_at     | seller_id | currency_code | quantity | line_amount   |
        | dear     | 0       | 2026-01-05 09:00 | s1        | USD           | 1000     | 1000000000000 |
    """)
    rates = """
        | event_id | base_currency_code | currency_code | quoted_on  | rate   | quantity | changed_at       |
        | u1       | KZT                | USD           | 2026-01-05 | 999999 | 1        | 2026-01-05 11:00 |
    """
    (row,) = build(spark, SellerDaily, lines, table_from_text(RATES, rates))

    assert row["revenue_base_amount"] == Decimal("999999000000000000")


def test_without_any_rate_the_base_currency_is_worth_itself(spark: SparkSession) -> None:
    rows = build(spark, SellerDaily, LINES)

    assert sum(row["revenue_base_amount"] or 0 for row in rows) == Decimal("1000.1234")
    assert sum(row["unconverted_line_count"] for row in rows) == 9
