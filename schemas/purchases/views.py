"""Views of purchases that are the same for several periods or windows of time. Other views are files of SQL."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.contract.period_views import PERIOD, Join, period_views
from schemas.contract.view import View
from schemas.purchases.gold import (
    CategoryDaily,
    CustomerDaily,
    ProductDaily,
    Products,
    RepeatPeriods,
    SellerPeriods,
)

SALES = (
    "order_count", "sold_count", "returned_count", "sales_amount", "returns_amount", "revenue_amount",
    "base_currency_code", "revenue_base_amount", "unconverted_line_count",
)  # fmt: skip
CUSTOMERS = (
    "active_customer_count", "new_customer_count", "repeat_customer_count", "repeat_rate_pct", "known_order_count",
    "returning_order_count", "returning_order_pct", "as_of_on",
)  # fmt: skip
BASKETS_AND_CUSTOMERS = {
    "mean_basket_amount": "t.mean_amount",
    "median_basket_amount": "t.median_amount",
    "mean_basket_lines": "t.mean_lines",
    "median_basket_lines": "t.median_lines",
    "active_customer_count": "j.active_customer_count",
    "new_customer_count": "j.new_customer_count",
    "repeat_rate_pct": "if(j.active_customer_count = 0, NULL, j.repeat_rate_pct)",
}
SAME_PERIOD = Join(RepeatPeriods, on=("period_kind", "seller_id", "period_started_on"))
CUSTOMERS_REPEAT = "a row a currency; customers are those of all currencies, the same in each row: add them up in none"

PERIOD_VIEWS = [
    *period_views(
        "gold.sales_by_category_{period}",
        "What was sold of each category of goods {in_each}? (orders with several categories count in each)",
        of=CategoryDaily, by=["category_name", PERIOD, "currency_code"], measures=SALES,
    ),
    *period_views(
        "gold.sales_by_customer_{period}",
        "What did each known customer buy {in_each}, of all sellers?",
        of=CustomerDaily, by=["customer_id", PERIOD, "currency_code"], measures=SALES,
    ),
    *period_views(
        "gold.sales_by_product_{period}",
        "What was sold of each product {in_each}?",
        of=ProductDaily, by=["product_id", "seller_id", PERIOD, "currency_code"], measures=SALES,
        join=Join(Products, on=("product_id", "seller_id", "currency_code")),
        computed={"description": "j.description"},
        order=["product_id", "description", "seller_id", PERIOD, "currency_code", *SALES],
    ),
    *period_views(
        "gold.sales_by_{period}",
        "What did all sellers together sell {in_each}, to how many customers, in how large baskets? "
        f"({CUSTOMERS_REPEAT}, gold.customers_by_{{period}} has them once)",
        of=SellerPeriods, by=[PERIOD, "currency_code"], measures=SALES, totals=["seller_id"],
        join=SAME_PERIOD, computed=BASKETS_AND_CUSTOMERS,
    ),
    *period_views(
        "gold.sales_by_seller_{period}",
        "What did each seller sell {in_each}, to how many customers, in how large baskets? "
        f"({CUSTOMERS_REPEAT}, gold.customers_by_seller_{{period}} has them once)",
        of=SellerPeriods, by=["seller_id", PERIOD, "currency_code"], measures=SALES, totals=["seller_id"],
        join=SAME_PERIOD, computed=BASKETS_AND_CUSTOMERS,
    ),
    *period_views(
        "gold.customers_by_{period}",
        "How many customers did all sellers together have {in_each}, and how many came again? "
        "(one row a {period}; a customer of several {period}s is in each: only new customers add up)",
        of=RepeatPeriods, by=[PERIOD], measures=CUSTOMERS, totals=["seller_id"],
    ),
    *period_views(
        "gold.customers_by_seller_{period}",
        "How many customers did each seller have {in_each}, and how many came again? "
        "(one row a seller and {period}; a customer of several {period}s is in each: only new customers add up)",
        of=RepeatPeriods, by=["seller_id", PERIOD], measures=CUSTOMERS, totals=["seller_id"],
    ),
    *period_views(
        "gold.total_revenue_by_{period}",
        "What did all sellers together take {in_each}, in all currencies? (one row a {period}, in the base currency)",
        of=SellerPeriods, by=[PERIOD], totals=["seller_id"],
        measures=["order_count", "revenue_base_amount", "base_currency_code", "unconverted_line_count"],
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Window:
    """A stretch of time up to now. `filter` picks its lines ``l``; `now` is the SQL of now, in the UTC day and time."""

    name: str
    phrase: str
    filter: str
    remark: str = "now is the arrival of the newest purchase"
    now: str = "(SELECT as_of_at FROM silver.newest_arrival)"


WINDOWS = (
    Window(
        "today", "today, by the time of purchase",
        "l.sold_on = toDate32(now_at)\n        AND l.purchased_at <= now_at",
    ),
    *(
        Window(
            f"last_{name}", f"in the last {phrase}, by the time of purchase",
            f"l.sold_on >= toDate32(now_at - INTERVAL {interval})\n"
            f"        AND l.purchased_at > now_at - INTERVAL {interval}\n        AND l.purchased_at <= now_at",
        )
        for name, phrase, interval in (("hour", "hour", "1 HOUR"), ("7_days", "seven days", "7 DAY"))
    ),
)  # fmt: skip
ARRIVED_LAST_HOUR = Window(
    "arrived_last_hour",
    "in the last hour, by the time of arrival",
    "l.ingested_at >= now_at - INTERVAL 1 HOUR",
    remark="now is now; what the page shows",
    now="now64(6, 'UTC')",
)
_TOP_COLUMNS = {
    "place": "Place by revenue_base_amount, 1 is the best; what has no rate comes last, by currency and revenue.",
    "revenue_base_amount": "Quantity times price, returned lines taken off, in the base currency.",
    "unconverted_line_count": "Lines without an exchange rate, which revenue_base_amount lacks.",
    "currency_code": "Currency of revenue_amount; null where it was sold in several.",
    "revenue_amount": "The same in its own currency; null where it was sold in several.",
}
_TOP = """\
CREATE OR REPLACE VIEW {name} AS
WITH {now} AS now_at
SELECT
    row_number() OVER (
        ORDER BY revenue_base_amount DESC NULLS LAST, currency_code, revenue_amount DESC, {by}
    ) AS place,
    *
FROM
(
    SELECT{shown}
        sum(l.line_base_amount) AS revenue_base_amount,
        any(l.base_currency_code) AS base_currency_code,
        countIf(l.line_base_amount IS NULL) AS unconverted_line_count,
        if(uniqExact(l.currency_code) = 1, toNullable(toString(any(l.currency_code))), NULL) AS currency_code,
        if(uniqExact(l.currency_code) = 1, toNullable(sum(l.line_amount)), NULL) AS revenue_amount,
        uniqExactIf(l.event_id, NOT l.is_return) AS order_count,
        sumIf(l.quantity, NOT l.is_return) AS sold_count,
        -sumIf(l.quantity, l.is_return) AS returned_count,
        now_at AS as_of_at
    FROM silver.purchase_lines_in_base AS l
    WHERE {filter}
    GROUP BY {by}
)
ORDER BY place"""


def top_view(subject: str, question: str, window: Window, by: str, shown: dict[str, str]) -> View:
    """What sells best in a window of time, in the base currency: a row each value of the columns `by`."""
    name = f"silver.top_{subject}_{window.name}"
    columns = dict(_TOP_COLUMNS)
    if window is ARRIVED_LAST_HOUR:
        columns["as_of_at"] = "Now of this list: the time of the question."
    return View(
        name,
        f"{question} sell best {window.phrase}? (place 1 is the best in the base currency, of all currencies together; "
        f"{window.remark})",
        _TOP.format(
            name=name, now=window.now, filter=window.filter, by=by,
            shown="".join(f"\n        {sql} AS {column}," for column, sql in shown.items()),
        ),
        columns,
    )  # fmt: skip


def top_products(window: Window) -> View:
    shown = {
        "product_id": "l.product_id",
        "seller_id": "l.seller_id",
        "description": "argMax(l.description, l.purchased_at)",
    }
    return top_view("products", "Which products of which seller", window, "seller_id, product_id", shown)


def top_sellers(window: Window) -> View:
    return top_view("sellers", "Which sellers", window, "seller_id", {"seller_id": "l.seller_id"})


VIEWS = [
    *PERIOD_VIEWS,
    *(top_products(window) for window in (*WINDOWS, ARRIVED_LAST_HOUR)),
    *(top_sellers(window) for window in WINDOWS),
]
