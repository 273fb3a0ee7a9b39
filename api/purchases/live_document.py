"""The last hour of purchases as the page shows it: revenue, products, and the latest purchases.

Everything here is pure: `api.purchases.live_queries` asks. Amounts are numbers to look at, not to book.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

HOUR_MINUTES = 60
MAX_CURRENCIES = 12


class Product(TypedDict):
    """What was sold of a product in the last hour, returns taken off."""

    seller_id: str
    product_id: str
    description: str
    piece_count: int
    revenue_amount: float | None


class Currency(TypedDict):
    """The last hour in one currency: a figure a minute from `first_minute_at` on, the last minute unfinished.

    Of all currencies together (`is_total`) amounts are in the base currency, less the lines that have no rate.
    """

    currency_code: str
    is_total: bool
    unconverted_line_count: int
    revenue_amounts: list[float]
    purchase_counts: list[int]
    products: list[Product]


class Purchase(TypedDict):
    """One of the latest purchases; `product` names its dearest line."""

    event_id: str
    at: float
    seller_id: str
    currency_code: str
    amount: float
    line_count: int
    product: str


class RevenueStep(NamedTuple):
    """What came in within a step of some seconds in one currency; `begins_at` is where the step begins."""

    begins_at: int
    currency_code: str
    revenue_amount: float
    purchase_count: int
    base_currency_code: str = ""
    revenue_base_amount: float | None = None
    unconverted_line_count: int = 0


class Sales(NamedTuple):
    """What ClickHouse answered."""

    revenue_steps: Sequence[RevenueStep] = ()
    products: Sequence[Mapping[str, Any]] = ()
    top_products: Sequence[Mapping[str, Any]] = ()
    latest: Sequence[Purchase] = ()
    newest_at: float | None = None


def members(now: float, sales: Sales | None) -> dict[str, Any]:
    """What the page's document says of purchases."""
    sales, first = sales or Sales(), first_minute(now)
    return {
        "first_minute_at": first,
        "currencies": [
            *total(sales.revenue_steps, sales.top_products, first),
            *currencies(sales.revenue_steps, sales.products, first),
        ],
        "latest": list(sales.latest),
        "newest_at": sales.newest_at,
    }


def first_minute(now: float) -> int:
    """The first of the sixty minutes that end with the current one."""
    return int(now) // 60 * 60 - (HOUR_MINUTES - 1) * 60


def merged(kept: Iterable[RevenueStep], fresh: Iterable[RevenueStep], since: int) -> list[RevenueStep]:
    """`kept`, with everything from `since` on replaced by `fresh`, and without what is older than an hour."""
    fresh = list(fresh)
    last = max((step.begins_at for step in fresh), default=since)
    return [step for step in kept if last - HOUR_MINUTES * 60 <= step.begins_at < since] + fresh


def currencies(
    revenue_steps: Iterable[RevenueStep], products: Iterable[Mapping[str, Any]], first: int
) -> list[Currency]:
    """The last hour by currency, the one with most purchases first."""
    hours: dict[str, Currency] = {}
    for step in revenue_steps:
        place = (step.begins_at - first) // 60
        if not 0 <= place < HOUR_MINUTES:
            continue
        hour = hours.setdefault(
            step.currency_code,
            _hour(step.currency_code),
        )
        hour["revenue_amounts"][place] += step.revenue_amount
        hour["purchase_counts"][place] += step.purchase_count
    for row in products:
        if row["currency_code"] in hours:
            hours[row["currency_code"]]["products"].append(_product(row))
    ranked = sorted(hours.values(), key=lambda hour: (-sum(hour["purchase_counts"]), hour["currency_code"]))
    return ranked[:MAX_CURRENCIES]


def total(revenue_steps: Iterable[RevenueStep], products: Iterable[Mapping[str, Any]], first: int) -> list[Currency]:
    """The last hour of all currencies together; nothing where there is none but the base currency."""
    within = [step for step in revenue_steps if 0 <= (step.begins_at - first) // 60 < HOUR_MINUTES]
    base = next((step.base_currency_code for step in within if step.base_currency_code), "")
    if not base or {step.currency_code for step in within} <= {base}:
        return []
    hour = _hour(base, is_total=True)
    for step in within:
        place = (step.begins_at - first) // 60
        hour["revenue_amounts"][place] += step.revenue_base_amount or 0.0
        hour["purchase_counts"][place] += step.purchase_count
        hour["unconverted_line_count"] += step.unconverted_line_count
    hour["products"] = [_product(row) for row in products]
    return [hour]


def _hour(currency_code: str, *, is_total: bool = False) -> Currency:
    return {
        "currency_code": currency_code, "is_total": is_total, "unconverted_line_count": 0,
        "revenue_amounts": [0.0] * HOUR_MINUTES, "purchase_counts": [0] * HOUR_MINUTES, "products": [],
    }  # fmt: skip


def _product(row: Mapping[str, Any]) -> Product:
    return {
        "seller_id": row["seller_id"],
        "product_id": row["product_id"],
        "description": row["description"] or row["product_id"],
        "piece_count": row["piece_count"],
        "revenue_amount": row["revenue_amount"],
    }
