"""What the views of sales answer: over several inserts of the stream, with copies, years later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.contract import contract
from schemas.derive.fakes import Row
from schemas.purchases.gold import (
    CategoryDaily,
    CustomerDaily,
    ProductDaily,
    Products,
    RepeatPeriods,
    SellerDaily,
    SellerPeriods,
)
from schemas.purchases.silver import PurchaseLines
from tests.support.clickhouse import answers, definitions, inserted
from tests.support.purchases import purchase_lines
from tests.support.tables import table_from_text

LINES = contract(PurchaseLines)
# Years ago: today's clock must not count. The newest arrives at noon of the 9th.
NOW = datetime(2011, 12, 9, 12, tzinfo=UTC)
NEVER = 2**63 - 1
# Each block's best five are a to e; over all blocks the best is the one that is sixth in each.
BLOCKS = [[*(f"{name}{block}" for name in "abcde"), "steady"] for block in range(3)]


def arrived(rows: Sequence[Row], at: datetime) -> list[Row]:
    """The lines as one batch of the stream brings them; ClickHouse keeps the copy that arrived first."""
    arrival = NEVER - int(at.timestamp() * 1_000_000)
    return [row | {"ingested_at": at, "arrival": arrival, "kafka_offset": arrival} for row in rows]


def sold(event: str, at: str, product: str, quantity: int, amount: int, seller: str = "s1") -> list[Row]:
    return purchase_lines(f"""
        | event_id | line_no | purchased_at | seller_id | product_id | description | currency_code | quantity   | line_amount |
        | {event}  | 0       | {at}         | {seller}  | {product}  | {product}   | KZT           | {quantity} | {amount}    |
    """)  # noqa: E501


def stream() -> list[str]:
    """The inserts of the stream: three blocks of this hour, older days, a return, and copies that arrive later."""
    inserts = [
        [
            line
            for place, product in enumerate(products)
            for line in sold(f"{product}-{block}", "2011-12-09 11:30", product, 1, 100 - 10 * place)
        ]
        for block, products in enumerate(BLOCKS)
    ]
    inserts.append(sold("morning", "2011-12-09 00:00", "tea", 2, 500, "s2"))
    inserts.append(sold("back", "2011-12-09 11:59", "a0", -1, -95))
    inserts.append(sold("days", "2011-12-02 12:01", "old", 1, 900, "s2"))
    inserts.append(sold("weeks", "2011-12-02 12:00", "older", 1, 9_000))
    inserts.append(sold("ahead", "2011-12-09 12:01", "ahead", 1, 7_000))
    batches = [arrived(rows, NOW - timedelta(minutes=n)) for n, rows in enumerate(reversed(inserts))]
    # Sent again by a producer that did not hear the answer: other offsets, other times, the same events.
    batches.append(arrived([*inserts[0], *inserts[3]], NOW + timedelta(minutes=90)))
    return [inserted(LINES, rows) for rows in batches]


SELLERS = """
    | seller_id | sold_on    | currency_code |
    | s1        | 2011-12-09 | KZT           |
"""
CUSTOMERS = """
    | customer_id | seller_id | sold_on    | currency_code | order_count |
    | c1          | s1        | 2011-11-30 | KZT           | 2           |
    | c1          | s1        | 2011-12-04 | KZT           | 1           |
    | c1          | s2        | 2011-12-05 | KZT           | 1           |
    | c1          | s1        | 2011-12-08 | KZT           | 0           |
    | c2          | s1        | 2011-12-09 | USD           | 1           |
"""
PERIODS = """
    | period_kind | period_started_on | seller_id | currency_code | order_count | mean_amount | median_amount |
    | month       | 2011-12-01        | s1        | KZT           | 3           | 20          | 15            |
    | month       | 2011-12-01        | ''        | KZT           | 4           | 25          | 12            |
    | month       | 2011-11-01        | s1        | KZT           | 9           | 9           | 9             |
    | week        | 2011-12-05        | s1        | KZT           | 2           | 8           | 8             |
"""
REPEATS = """
    | period_kind | period_started_on | seller_id | active_customer_count | repeat_customer_count | repeat_rate_pct |
    | month       | 2011-12-01        | s1        | 2                     | 1                     | 50              |
    | month       | 2011-12-01        | ''        | 4                     | 1                     | 25              |
"""
CATEGORIES = """
    | category_name | seller_id | sold_on    | currency_code | order_count | sold_count |
    | drinks        | s1        | 2011-11-30 | KZT           | 2           | 5          |
    | drinks        | s2        | 2011-12-04 | KZT           | 1           | 7          |
    | drinks        | s1        | 2011-12-05 | KZT           | 4           | 9          |
    | unknown       | s1        | 2011-12-05 | KZT           | 1           | 1          |
"""
PRODUCT_DAYS = """
    | seller_id | product_id | sold_on    | currency_code | order_count | sold_count |
    | s1        | tea        | 2011-11-30 | KZT           | 2           | 5          |
    | s1        | tea        | 2011-12-04 | KZT           | 1           | 7          |
    | s2        | tea        | 2011-12-04 | KZT           | 4           | 9          |
"""
PRODUCTS = """
    | seller_id | product_id | currency_code | description |
    | s1        | tea        | KZT           | Green tea   |
"""
WINDOWS = ("last_hour", "today", "last_7_days")
TOP = "SELECT place, product_id, revenue_amount, order_count, sold_count, returned_count FROM silver.top_products_{}"


Ask = Callable[..., list[list[Any]]]
"""The rows of all queries among the statements."""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    folder = tmp_path_factory.mktemp("clickhouse")
    tables = {
        SellerDaily: SELLERS, CustomerDaily: CUSTOMERS, SellerPeriods: PERIODS, RepeatPeriods: REPEATS,
        CategoryDaily: CATEGORIES, ProductDaily: PRODUCT_DAYS, Products: PRODUCTS,
    }  # fmt: skip
    gold = [inserted(contract(t), table_from_text(contract(t), text)) for t, text in tables.items()]
    answers(folder, [*definitions(), *stream(), *gold])
    return lambda *statements: answers(folder, [*statements])


def test_the_top_of_the_hour_is_that_of_all_blocks_together(ask: Ask) -> None:
    """The fault: the best five of each block, among which the best of all never is."""
    rows = ask(TOP.format("last_hour"))

    assert rows[0] == [1, "steady", 150, 3, 3, 0]
    assert [row[0] for row in rows] == list(range(1, 17))


def test_a_copy_with_another_offset_and_time_counts_once(ask: Ask) -> None:
    """The fault: only rows that agree in everything are taken for copies."""
    actual = {row[1]: row[2:] for row in ask(TOP.format("last_hour"))}

    assert actual["b0"] == [90, 1, 1, 0]
    assert actual["a0"] == [5, 1, 1, 1]


def test_now_is_the_arrival_of_the_newest_purchase(ask: Ask) -> None:
    """The fault: today's clock, by which a replay of 2011 has no top list, or another tomorrow."""
    hour, day, week = ([row[1] for row in ask(TOP.format(window))] for window in WINDOWS)

    assert "tea" not in hour
    assert {*day} == {*hour, "tea"}
    assert {*week} == {*day, "old"}
    assert [week[0], day[0]] == ["old", "tea"]
    assert ask("SELECT DISTINCT as_of_at FROM silver.top_sellers_today") == [["2011-12-09 12:00:00.000000"]]


def test_now_is_the_same_before_and_after_copies_are_merged_away(ask: Ask) -> None:
    """The fault: a copy counts as the newest purchase until ClickHouse drops it, and now goes back."""
    names = [f"top_{what}_{window}" for what in ("sellers", "products") for window in WINDOWS]
    entries = [f"SELECT '{name}' AS name, * FROM silver.{name}" for name in names]
    before = ask(*entries)

    assert [name for name in names if name not in {row[0] for row in before}] == []
    assert ask("OPTIMIZE TABLE silver.purchase_lines FINAL", *entries) == before


@pytest.mark.parametrize(
    ("window", "rows"),
    # Of the first seller three blocks of 100 + 90 + 80 + 70 + 60 + 50, less 95.
    [("last_hour", [[1, "s1", 1255, 18]]), ("today", [[1, "s1", 1255, 18], [2, "s2", 500, 1]]),
     ("last_7_days", [[1, "s2", 1400, 2], [2, "s1", 1255, 18]])],
)  # fmt: skip
def test_top_sellers_have_orders_of_purchases_and_revenue_without_returns(
    ask: Ask, window: str, rows: list[list[Any]]
) -> None:
    assert ask(f"SELECT place, seller_id, revenue_amount, order_count FROM silver.top_sellers_{window}") == rows


def test_recency_is_counted_from_the_newest_day_of_the_data(ask: Ask) -> None:
    """The fault: today's clock, by which everybody of 2011 is lost."""
    assert ask(
        "SELECT customer_id, first_ordered_on, last_ordered_on, as_of_on, recency_day_count, order_count"
        " FROM gold.customers_by_recency"
    ) == [
        ["c2", "2011-12-09", "2011-12-09", "2011-12-09", 0, 1],
        ["c1", "2011-11-30", "2011-12-05", "2011-12-09", 4, 4],
    ]


def test_weeks_of_customers_begin_on_monday(ask: Ask) -> None:
    of = "order_count FROM gold.sales_by_customer_{} WHERE customer_id = 'c1'"

    assert ask(f"SELECT week_on, {of.format('week')}") == [["2011-11-28", 3], ["2011-12-05", 1]]
    assert ask(f"SELECT month_on, {of.format('month')}") == [["2011-11-01", 2], ["2011-12-01", 2]]


def test_categories_and_products_add_up_by_week_and_month(ask: Ask) -> None:
    assert ask("SELECT category_name, week_on, order_count, sold_count FROM gold.sales_by_category_week") == [
        ["drinks", "2011-11-28", 3, 12],
        ["drinks", "2011-12-05", 4, 9],
        ["unknown", "2011-12-05", 1, 1],
    ]
    assert ask("SELECT order_count FROM gold.sales_by_category_month WHERE category_name = 'drinks'") == [[2], [5]]
    assert ask("SELECT seller_id, description, week_on, order_count, sold_count FROM gold.sales_by_product_week") == [
        ["s1", "Green tea", "2011-11-28", 3, 12],
        ["s2", None, "2011-11-28", 4, 9],
    ]


def test_months_show_their_customers_and_all_sellers_have_a_view_of_their_own(ask: Ask) -> None:
    columns = "order_count, mean_basket_amount, median_basket_amount, active_customer_count, repeat_rate_pct"

    assert ask(f"SELECT seller_id, month_on, {columns} FROM gold.sales_by_seller_month") == [
        ["s1", "2011-11-01", 9, 9, 9, 0, None],
        ["s1", "2011-12-01", 3, 20, 15, 2, 50],
    ]
    assert ask(f"SELECT month_on, {columns} FROM gold.sales_by_month") == [["2011-12-01", 4, 25, 12, 4, 25]]


def test_a_silver_without_purchases_lists_nothing(tmp_path: Path) -> None:
    assert answers(tmp_path, [*definitions(), TOP.format("today")]) == []
