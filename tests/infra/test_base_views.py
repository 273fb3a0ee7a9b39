"""What ClickHouse makes of money in several currencies: the same figures as the nightly jobs, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from schemas.contract import contract
from schemas.derive import base_currency
from schemas.purchases.silver import PurchaseLines
from schemas.rates.silver import ExchangeRates
from tests.jobs.core.test_base_currency import LINES, NBK
from tests.support.clickhouse import answers, definitions, inserted
from tests.support.tables import table_from_text

Ask = Callable[..., list[list[Any]]]
OTHERS = """
    | event_id | base_currency_code | currency_code | quoted_on  | rate | quantity | changed_at       |
    | a        | EUR                | USD           | 2026-01-02 | 0.9  | 1        | 2026-01-02 10:00 |
    | b        | KZT                | EUR           | 2026-01-02 | 600  | 1        | 2026-01-02 11:00 |
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    folder: Path = tmp_path_factory.mktemp("clickhouse")
    rates = [inserted(contract(ExchangeRates), [row]) for row in table_from_text(contract(ExchangeRates), NBK)]
    answers(folder, [*definitions(), *rates, inserted(contract(PurchaseLines), LINES)])
    return lambda *statements: answers(folder, [*statements])


def test_lines_are_worth_what_the_nights_make_of_them(ask: Ask) -> None:
    actual = ask(
        "SELECT event_id, line_no, toString(line_base_amount), base_currency_code FROM silver.purchase_lines_in_base"
        " ORDER BY event_id, line_no"
    )

    assert {(row[0], int(row[1])): None if row[2] is None else Decimal(row[2]) for row in actual} == {
        ("back", 0): Decimal("-5107.6025"), ("dollars", 0): Decimal("5107.6025"), ("last", 0): Decimal("510.25"),
        ("late", 0): None, ("none", 0): None, ("none", 1): None, ("soms", 0): Decimal("524.6910"),
        # 0.0001 and 0.0003 times 505.5: 0.05055 and 0.15165, half up, and each by itself.
        ("sunday", 0): Decimal("0.0506"), ("sunday", 1): Decimal("0.1517"), ("tenge", 0): Decimal("1000.1234"),
    }  # fmt: skip
    assert {row[3] for row in actual} == {"KZT"}


def test_half_is_rounded_away_from_zero_so_that_a_return_cancels_its_sale(ask: Ask) -> None:
    assert ask("SELECT toString(round(toDecimal128(x, 16), 4)) FROM values('x String', '0.05055', '-0.05055')") == [
        ["0.0506"], ["-0.0506"]
    ]  # fmt: skip


def test_cross_rates_are_those_of_the_nights(ask: Ask) -> None:
    in_dollars = base_currency.view("USD", 7)
    actual = ask(
        in_dollars, "SELECT currency_code, quoted_on, toString(unit_rate) FROM silver.exchange_rates_in_base"
        " ORDER BY currency_code, quoted_on", base_currency.view("KZT", 7)
    )  # fmt: skip

    assert actual == [
        ["KGS", "2026-01-02", "0.011210023079"],
        ["KZT", "2026-01-02", "0.001978239367"],
        ["KZT", "2026-01-05", "0.001959823616"],
        ["UZS", "2026-01-02", "0.000083283877"],
        ["UZS", "2026-01-05", "0.000083292504"],
    ]


def test_rates_to_the_base_currency_go_before_cross_rates(tmp_path: Path) -> None:
    rows = [r for r in table_from_text(contract(ExchangeRates), NBK) if r["event_id"] == "u1"]
    rows += table_from_text(contract(ExchangeRates), OTHERS)
    actual = answers(tmp_path, [
        *definitions(), inserted(contract(ExchangeRates), rows), base_currency.view("EUR", 7),
        "SELECT currency_code, toString(unit_rate) FROM silver.exchange_rates_in_base ORDER BY currency_code",
    ])  # fmt: skip

    assert actual == [["KZT", "0.001666666667"], ["USD", "0.9"]]


def test_a_week_of_lines_does_not_read_all_of_them(ask: Ask) -> None:
    """A filter on the day must reach the table below the join with rates."""
    plan = ask(
        "EXPLAIN indexes = 1 SELECT sum(line_base_amount) FROM silver.purchase_lines_in_base"
        " WHERE sold_on >= toDate32('2026-01-12')"
    )

    assert any("sold_on" in row[0] and "Condition" in row[0] for row in plan), plan
