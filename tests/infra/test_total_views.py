"""Rankings and totals of gold's views: over currencies in the base currency, and what adds up adds up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.contract import contract
from schemas.purchases.gold import Customers, Products, RepeatPeriods, SellerDaily, SellerPeriods
from tests.support.clickhouse import answers, definitions, inserted
from tests.support.tables import table_from_text

Ask = Callable[[str], list[list[Any]]]
# The issue's own figures: 217 million soms are nine million tenge.
PRODUCTS = """
    | seller_id | product_id | currency_code | revenue_amount | base_currency_code | revenue_base_amount | unconverted_line_count |
    | samarkand | saffron    | UZS           | 217000000      | KZT                | 9000000             | 0                      |
    | almaly    | tea        | KZT           | 126000000      | KZT                | 126000000           | 0                      |
    | silk-road | wool       | USD           | 200000         | KZT                | 100000000           | 1                      |
    | silk-road | wool       | KZT           | 30000000       | KZT                | 30000000            | 0                      |
    | issyk     | honey      | KGS           | 999999999      | KZT                |                     | 3                      |
"""  # noqa: E501
DAYS = """
    | seller_id | sold_on    | currency_code | order_count | sales_amount | returns_amount | revenue_amount | base_currency_code | revenue_base_amount | unconverted_line_count |
    | almaly    | 2026-01-05 | KZT           | 3           | 120          | 20             | 100            | KZT                | 100                 | 0                      |
    | almaly    | 2026-01-06 | KZT           | 1           | 50           | 0              | 50             | KZT                | 50                  | 0                      |
    | silk-road | 2026-01-05 | USD           | 2           | 1            | 0              | 1              | KZT                | 500                 | 0                      |
    | silk-road | 2026-01-05 | KGS           | 1           | 70           | 0              | 70             | KZT                |                     | 2                      |
    | silk-road | 2026-02-01 | KZT           | 1           | 30           | 0              | 30             | KZT                | 30                  | 0                      |
"""  # noqa: E501
PERIODS = """
    | period_kind | period_started_on | seller_id | currency_code | order_count | base_currency_code | revenue_base_amount | unconverted_line_count |
    | week        | 2026-01-05        | ''        | KZT           | 4           | KZT                | 150                 | 0                      |
    | week        | 2026-01-05        | ''        | USD           | 2           | KZT                | 500                 | 0                      |
    | week        | 2026-01-05        | ''        | KGS           | 1           | KZT                |                     | 2                      |
    | week        | 2026-01-05        | almaly    | KZT           | 4           | KZT                | 150                 | 0                      |
    | month       | 2026-01-01        | ''        | KZT           | 4           | KZT                | 150                 | 0                      |
"""  # noqa: E501
REPEATS = """
    | period_kind | period_started_on | seller_id | active_customer_count | new_customer_count | repeat_customer_count |
    | week        | 2026-01-05        | ''        | 7                     | 3                  | 2                     |
    | week        | 2026-01-12        | ''        | 5                     | 1                  | 1                     |
    | week        | 2026-01-05        | almaly    | 4                     | 2                  | 1                     |
    | all         | 2026-01-05        | ''        | 9                     | 4                  | 3                     |
"""
CUSTOMERS = """
    | customer_id | currency_code | revenue_amount | base_currency_code | revenue_base_amount | unconverted_line_count |
    | c1          | UZS           | 5000           | KZT                | 210                 | 0                      |
    | c2          | KZT           | 300            | KZT                | 300                 | 0                      |
    | c1          | KZT           | 100            | KZT                | 100                 | 0                      |
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    folder: Path = tmp_path_factory.mktemp("clickhouse")
    given = {Products: PRODUCTS, SellerDaily: DAYS, SellerPeriods: PERIODS, RepeatPeriods: REPEATS,
             Customers: CUSTOMERS}  # fmt: skip
    rows = [inserted(contract(t), table_from_text(contract(t), text)) for t, text in given.items()]
    answers(folder, [*definitions(), *rows])
    return lambda sql: answers(folder, [sql])


def test_the_first_of_the_list_is_the_best_of_all(ask: Ask) -> None:
    """The fault: the first five were those of the first currency in the alphabet."""
    columns = "place, seller_id, product_id, revenue_base_amount, base_currency_code, currency_code, revenue_amount"

    assert ask(f"SELECT {columns}, unconverted_line_count FROM gold.top_products LIMIT 5") == [
        # A hundred million for dollars and thirty for tenge: one product.
        [1, "silk-road", "wool", 130000000, "KZT", None, None, 1],
        [2, "almaly", "tea", 126000000, "KZT", "KZT", 126000000, 0],
        [3, "samarkand", "saffron", 9000000, "KZT", "UZS", 217000000, 0],
        # Nothing of it has a rate: not nought, and not left out.
        [4, "issyk", "honey", None, "KZT", "KGS", 999999999, 3],
    ]


def test_one_currency_alone_is_ranked_as_it_is(ask: Ask) -> None:
    actual = ask(
        "SELECT place, product_id, revenue_amount FROM gold.top_products_by_currency WHERE currency_code = 'KZT'"
    )

    assert actual == [[1, "tea", 126000000], [2, "wool", 30000000]]


def test_sellers_and_customers_are_ranked_over_currencies(ask: Ask) -> None:
    assert ask("SELECT place, seller_id, revenue_base_amount, currency_code, order_count FROM gold.top_sellers") == [
        [1, "silk-road", 530, None, 4], [2, "almaly", 150, "KZT", 4],
    ]  # fmt: skip
    assert ask("SELECT place, customer_id, revenue_base_amount, currency_code FROM gold.best_customers") == [
        [1, "c1", 310, None], [2, "c2", 300, "KZT"],
    ]  # fmt: skip
    assert ask("SELECT place, seller_id, currency_code FROM gold.top_sellers_by_currency WHERE place = 1") == [
        [1, "silk-road", "KGS"], [1, "almaly", "KZT"], [1, "silk-road", "USD"],
    ]  # fmt: skip


def test_totals_have_one_row_a_period(ask: Ask) -> None:
    assert ask(
        "SELECT week_on, order_count, revenue_base_amount, base_currency_code, unconverted_line_count"
        " FROM gold.total_revenue_by_week"
    ) == [["2026-01-05", 7, 650, "KZT", 2]]
    assert ask("SELECT month_on, revenue_base_amount FROM gold.total_revenue_by_month") == [["2026-01-01", 150]]


def test_revenue_by_day_adds_up_over_currencies_in_the_base_currency(ask: Ask) -> None:
    assert ask("SELECT sum(revenue_base_amount), sum(unconverted_line_count) FROM gold.revenue_by_day") == [[680, 2]]
    assert ask("SELECT sold_on, currency_code, revenue_base_amount FROM gold.revenue_by_day") == [
        ["2026-01-05", "KGS", None], ["2026-01-05", "KZT", 100], ["2026-01-05", "USD", 500],
        ["2026-01-06", "KZT", 50], ["2026-02-01", "KZT", 30],
    ]  # fmt: skip


def test_what_has_no_rate_is_named(ask: Ask) -> None:
    assert ask("SELECT currency_code, sold_on, line_count, revenue_amount FROM gold.unconverted_sales") == [
        ["KGS", "2026-01-05", 2, 70]
    ]


def test_customers_have_one_row_a_period_whatever_the_currencies(ask: Ask) -> None:
    """The fault: `sales_by_week` has the week's customers once in each currency's row."""
    assert ask("SELECT week_on, active_customer_count, new_customer_count FROM gold.customers_by_week") == [
        ["2026-01-05", 7, 3], ["2026-01-12", 5, 1],
    ]  # fmt: skip
    assert ask("SELECT seller_id, week_on, active_customer_count FROM gold.customers_by_seller_week") == [
        ["almaly", "2026-01-05", 4]
    ]
    assert ask("SELECT active_customer_count FROM gold.sales_by_week") == [[7]] * 3


def test_rows_that_are_totals_say_so(ask: Ask) -> None:
    assert ask("SELECT seller_id, period_kind, is_total FROM gold.repeat_rate") == [
        ["", "all", True], ["", "week", True], ["", "week", True], ["almaly", "week", False],
    ]  # fmt: skip
