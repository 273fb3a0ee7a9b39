"""What the views answer, asked of a ClickHouse without a server: over several inserts, with copies, years later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conf import REPOSITORY
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
from tests.support.local_clickhouse import LocalClickHouse, definitions, insert
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
    batches = [arrived(rows, NOW - timedelta(minutes=60 - n)) for n, rows in enumerate(inserts)]
    # Sent again by a producer that did not hear the answer: other offsets, other times, the same events.
    batches.append(arrived([*inserts[0], *inserts[3]], NOW))
    return [insert(LINES, rows) for rows in batches]


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
TOP = "SELECT place, product_id, revenue_amount, order_count, sold_count, returned_count FROM silver.top_products_{}"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> LocalClickHouse:
    made = LocalClickHouse(tmp_path_factory.mktemp("clickhouse"))
    tables = {
        SellerDaily: SELLERS, CustomerDaily: CUSTOMERS, SellerPeriods: PERIODS, RepeatPeriods: REPEATS,
        CategoryDaily: CATEGORIES, ProductDaily: PRODUCT_DAYS, Products: PRODUCTS,
    }  # fmt: skip
    gold = [insert(contract(t), table_from_text(contract(t), text)) for t, text in tables.items()]
    made.ask(before=[*definitions(), *stream(), *gold])
    return made


def test_every_view_answers(base: LocalClickHouse) -> None:
    files = sorted((REPOSITORY / "infra" / "clickhouse" / "views").glob("*/*.sql"))

    base.ask(*(f"SELECT * FROM {file.parent.name}.{file.stem} LIMIT 1" for file in files))


def test_the_top_of_the_hour_is_that_of_all_blocks_together(base: LocalClickHouse) -> None:
    """The fault: the best five of each block, among which the best of all never is."""
    ((*rows,),) = base.ask(TOP.format("last_hour"))

    assert rows[0] == {"place": 1, "product_id": "steady", "revenue_amount": "150", "order_count": 3, "sold_count": 3,
                       "returned_count": 0}  # fmt: skip
    assert len(rows) == 16
    assert [row["place"] for row in rows] == list(range(1, 17))


def test_a_copy_with_another_offset_and_time_counts_once(base: LocalClickHouse) -> None:
    """The fault: only rows that agree in everything are taken for copies."""
    ((*rows,),) = base.ask(TOP.format("last_hour"))
    found = {row["product_id"]: row for row in rows}

    assert (found["b0"]["revenue_amount"], found["b0"]["order_count"]) == ("90", 1)
    assert found["a0"] == {"place": 16, "product_id": "a0", "revenue_amount": "5", "order_count": 1, "sold_count": 1,
                           "returned_count": 1}  # fmt: skip


def test_now_is_the_arrival_of_the_newest_purchase(base: LocalClickHouse) -> None:
    """The fault: today's clock, by which a replay of 2011 has no top list, or another tomorrow."""
    hour, day, week = base.ask(*(TOP.format(window) for window in ("last_hour", "today", "last_7_days")))
    names: list[set[Any]] = [{row["product_id"] for row in rows} for rows in (hour, day, week)]

    assert "tea" not in names[0]
    assert names[1] == names[0] | {"tea"}
    assert names[2] == names[1] | {"old"}
    assert [week[0]["product_id"], day[0]["product_id"]] == ["old", "tea"]
    (as_of,) = base.ask("SELECT DISTINCT as_of_at FROM silver.top_sellers_today")
    assert as_of == [{"as_of_at": "2011-12-09 12:00:00.000000"}]


def test_top_sellers_have_orders_of_purchases_and_revenue_without_returns(base: LocalClickHouse) -> None:
    asked = "SELECT place, seller_id, revenue_amount, order_count FROM silver.top_sellers_"
    today, week = base.ask(f"{asked}today", f"{asked}last_7_days")

    # Three blocks of 100 + 90 + 80 + 70 + 60 + 50, less 95.
    assert today == [
        {"place": 1, "seller_id": "s1", "revenue_amount": "1255", "order_count": 18},
        {"place": 2, "seller_id": "s2", "revenue_amount": "500", "order_count": 1},
    ]
    assert week[0] == {"place": 1, "seller_id": "s2", "revenue_amount": "1400", "order_count": 2}


def test_recency_is_counted_from_the_newest_day_of_the_data(base: LocalClickHouse) -> None:
    (rows,) = base.ask("SELECT * FROM gold.customers_by_recency")

    assert rows == [
        {"customer_id": "c2", "first_ordered_on": "2011-12-09", "last_ordered_on": "2011-12-09",
         "as_of_on": "2011-12-09", "recency_day_count": 0, "order_count": 1},
        {"customer_id": "c1", "first_ordered_on": "2011-11-30", "last_ordered_on": "2011-12-05",
         "as_of_on": "2011-12-09", "recency_day_count": 4, "order_count": 4},
    ]  # fmt: skip


def test_weeks_of_customers_begin_on_monday(base: LocalClickHouse) -> None:
    weeks, months = base.ask(
        "SELECT week_on, order_count FROM gold.sales_by_customer_week WHERE customer_id = 'c1'",
        "SELECT month_on, order_count FROM gold.sales_by_customer_month WHERE customer_id = 'c1'",
    )

    assert weeks == [{"week_on": "2011-11-28", "order_count": 3}, {"week_on": "2011-12-05", "order_count": 1}]
    assert months == [{"month_on": "2011-11-01", "order_count": 2}, {"month_on": "2011-12-01", "order_count": 2}]


def test_categories_and_products_add_up_by_week_and_month(base: LocalClickHouse) -> None:
    week, month, products = base.ask(
        "SELECT category_name, week_on, order_count, sold_count FROM gold.sales_by_category_week",
        "SELECT month_on, order_count FROM gold.sales_by_category_month WHERE category_name = 'drinks'",
        "SELECT seller_id, description, week_on, order_count, sold_count FROM gold.sales_by_product_week",
    )

    assert week == [
        {"category_name": "drinks", "week_on": "2011-11-28", "order_count": 3, "sold_count": 12},
        {"category_name": "drinks", "week_on": "2011-12-05", "order_count": 4, "sold_count": 9},
        {"category_name": "unknown", "week_on": "2011-12-05", "order_count": 1, "sold_count": 1},
    ]
    assert [row["order_count"] for row in month] == [2, 5]
    assert products == [
        {"seller_id": "s1", "description": "Green tea", "week_on": "2011-11-28", "order_count": 3, "sold_count": 12},
        {"seller_id": "s2", "description": None, "week_on": "2011-11-28", "order_count": 4, "sold_count": 9},
    ]


def test_months_of_sellers_show_their_customers_and_all_sellers_have_a_view_of_their_own(base: LocalClickHouse) -> None:
    asked = "order_count, mean_basket_amount, median_basket_amount, active_customer_count, repeat_rate_pct"
    sellers, together = base.ask(
        f"SELECT seller_id, month_on, {asked} FROM gold.sales_by_seller_month",
        f"SELECT month_on, {asked} FROM gold.sales_by_month",
    )

    none = {"order_count": 9, "mean_basket_amount": "9", "median_basket_amount": "9", "active_customer_count": 0}
    assert sellers == [
        {"seller_id": "s1", "month_on": "2011-11-01", **none, "repeat_rate_pct": None},
        {"seller_id": "s1", "month_on": "2011-12-01", "order_count": 3, "mean_basket_amount": "20",
         "median_basket_amount": "15", "active_customer_count": 2, "repeat_rate_pct": 50},
    ]  # fmt: skip
    assert together == [
        {"month_on": "2011-12-01", "order_count": 4, "mean_basket_amount": "25", "median_basket_amount": "12",
         "active_customer_count": 4, "repeat_rate_pct": 25}
    ]  # fmt: skip


def test_a_base_of_its_own_has_nothing_in_it(tmp_path: Path) -> None:
    """An empty silver has no newest purchase, and lists nothing."""
    (rows,) = LocalClickHouse(tmp_path).ask(TOP.format("today"), before=definitions())

    assert rows == []
