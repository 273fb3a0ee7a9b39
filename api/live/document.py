"""What the page shows, as one JSON document a second: its shape, and how it is made of what was asked.

Everything here is pure: `api/live/queries.py` asks, `api/live/hub.py` hands out. Times are seconds since 1970, UTC;
amounts are numbers to look at, not to book (the exact ones are in ClickHouse).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

HOUR_MINUTES = 60
SERIES_SECONDS, BUCKET_SECONDS = 600, 5
LIVE_WINDOW_SECONDS, LAKE_WINDOW_SECONDS = 10, 60
"""Over how long events a second are averaged: a lake lane reads in batches of many seconds."""
MAX_CURRENCIES = 12


class Query(TypedDict):
    """A streaming query: a lane of a topic."""

    lane: str
    is_running: bool
    state: str
    error: str
    lag_events: int | None
    restarts: int


class Freshness(TypedDict):
    """How old the last minute's events were when they could be read in ClickHouse."""

    event_count: int
    p50_seconds: float
    p99_seconds: float


class Topic(TypedDict):
    """`series` are events a second in buckets of five seconds over the last ten minutes, oldest first."""

    topic: str
    events_per_second: float
    series: list[float]
    fresh: Freshness | None
    queries: list[Query]


class Product(TypedDict):
    """What was sold of a product in the last hour, returns taken off."""

    seller_id: str
    product_id: str
    description: str
    piece_count: int
    revenue_amount: float | None


class Currency(TypedDict):
    """The last hour in one currency: a figure a minute from `State.first_minute_at` on, the last minute unfinished.

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


class Refusal(TypedDict):
    """One of the latest refused events."""

    event_id: str
    at: float
    topic: str
    rule: str
    sentence: str


class Link(TypedDict):
    title: str
    url: str


class Part(TypedDict):
    """`state` is ``up``, ``down``, or ``off`` for a part that need not run."""

    name: str
    title: str
    state: str
    sentence: str
    links: list[Link]


class SourceStatus(TypedDict):
    """Where figures come from: what is wrong with it now, and from when its figures are. None: nothing, never."""

    error: str | None
    as_of: float | None


class State(TypedDict):
    """The whole document. What a source has never told is empty; what it told before it failed is kept."""

    at: float
    sources: dict[str, SourceStatus]
    topics: list[Topic]
    first_minute_at: float
    currencies: list[Currency]
    latest: list[Purchase]
    newest_at: float | None
    refused_count: int
    refusals: list[Refusal]
    parts: list[Part]


class Reading(NamedTuple):
    """What a look at a source brought last, and what is wrong now."""

    value: Any = None
    error: str | None = None
    as_of: float | None = None


class RevenueStep(NamedTuple):
    """What came in within a step of some seconds in one currency; `taken_at` is where the step begins."""

    taken_at: int
    currency_code: str
    revenue_amount: float
    purchase_count: int
    base_currency_code: str = ""
    revenue_base_amount: float | None = None
    unconverted_line_count: int = 0


class Sales(NamedTuple):
    """What ClickHouse told."""

    takings: Sequence[RevenueStep] = ()
    products: Sequence[Mapping[str, Any]] = ()
    top_products: Sequence[Mapping[str, Any]] = ()
    latest: Sequence[Purchase] = ()
    newest_at: float | None = None
    refused_count: int = 0
    refusals: Sequence[Refusal] = ()


class Flow(NamedTuple):
    """What the stream told: /progress and /recent."""

    progress: Mapping[str, Any]
    recent: Mapping[str, Any]


def state(now: float, seen: Mapping[str, Reading]) -> State:
    """The document at `now`. `seen` has ``flow`` (`Flow`), ``sales`` (`Sales`) and ``parts`` (list of `Part`)."""
    flow, sales, parts = (seen.get(name, Reading()) for name in ("flow", "sales", "parts"))
    told: Sales = sales.value or Sales()
    first = first_minute(now)
    return {
        "at": now,
        "sources": {name: {"error": each.error, "as_of": each.as_of} for name, each in seen.items()},
        # Rates and lags of a stream that does not answer are not known, and old ones would look like life.
        "topics": topics(flow.value) if flow.value and not flow.error else [],
        "first_minute_at": first,
        "currencies": [
            *total(told.takings, told.top_products, first),
            *currencies(told.takings, told.products, first),
        ],
        "latest": list(told.latest),
        "newest_at": told.newest_at,
        "refused_count": told.refused_count,
        "refusals": list(told.refusals),
        "parts": list(parts.value or []),
    }


def first_minute(now: float) -> int:
    """The first of the sixty minutes whose last is the one at hand."""
    return int(now) // 60 * 60 - (HOUR_MINUTES - 1) * 60


def merged(kept: Iterable[RevenueStep], fresh: Iterable[RevenueStep], since: int) -> list[RevenueStep]:
    """`kept`, in which everything from `since` on is replaced by `fresh`; what is older than an hour is forgotten."""
    fresh = list(fresh)
    last = max((taking.taken_at for taking in fresh), default=since)
    return [taking for taking in kept if last - HOUR_MINUTES * 60 <= taking.taken_at < since] + fresh


def currencies(takings: Iterable[RevenueStep], products: Iterable[Mapping[str, Any]], first: int) -> list[Currency]:
    """The last hour by currency, the one with most purchases first."""
    found: dict[str, Currency] = {}
    for taking in takings:
        place = (taking.taken_at - first) // 60
        if not 0 <= place < HOUR_MINUTES:
            continue
        hour = found.setdefault(
            taking.currency_code,
            _hour(taking.currency_code),
        )
        hour["revenue_amounts"][place] += taking.revenue_amount
        hour["purchase_counts"][place] += taking.purchase_count
    for row in products:
        if row["currency_code"] in found:
            found[row["currency_code"]]["products"].append(_product(row))
    ranked = sorted(found.values(), key=lambda hour: (-sum(hour["purchase_counts"]), hour["currency_code"]))
    return ranked[:MAX_CURRENCIES]


def total(takings: Iterable[RevenueStep], products: Iterable[Mapping[str, Any]], first: int) -> list[Currency]:
    """The last hour of all currencies together; nothing where there is none but the base currency."""
    within = [taking for taking in takings if 0 <= (taking.taken_at - first) // 60 < HOUR_MINUTES]
    base = next((taking.base_currency_code for taking in within if taking.base_currency_code), "")
    if not base or {taking.currency_code for taking in within} <= {base}:
        return []
    hour = _hour(base, is_total=True)
    for taking in within:
        place = (taking.taken_at - first) // 60
        hour["revenue_amounts"][place] += taking.revenue_base_amount or 0.0
        hour["purchase_counts"][place] += taking.purchase_count
        hour["unconverted_line_count"] += taking.unconverted_line_count
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


def topics(flow: Flow) -> list[Topic]:
    """Each topic with its queries, the live lane first. A query is named ``lane:domain``."""
    queries: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, progress in flow.progress.get("queries", {}).items():
        topic = progress.get("topic") or name.partition(":")[2]
        queries.setdefault(topic, {})[name] = progress
    return [_topic(topic, queries[topic], flow.recent) for topic in sorted(queries)]


def _topic(topic: str, queries: Mapping[str, Mapping[str, Any]], recent: Mapping[str, Any]) -> Topic:
    ordered = sorted(queries, reverse=True)
    told = recent.get("queries", {}).get(ordered[0], {})
    now, events = float(recent.get("now", 0.0)), told.get("events", [])
    is_live = ordered[0].startswith("live:")
    return {
        "topic": topic,
        "events_per_second": rate(events, now, LIVE_WINDOW_SECONDS if is_live else LAKE_WINDOW_SECONDS),
        "series": series(events, now),
        "fresh": told.get("fresh"),
        "queries": [_query(name.partition(":")[0], queries[name]) for name in ordered],
    }


def _query(lane: str, progress: Mapping[str, Any]) -> Query:
    return {
        "lane": lane,
        "is_running": progress.get("state") == "running",
        "state": progress.get("state", ""),
        "error": progress.get("error", ""),
        "lag_events": progress.get("lag_events"),
        "restarts": progress.get("restarts", 0),
    }


def rate(events: Iterable[Sequence[int]], now: float, window: int) -> float:
    """Events a second over the last `window` whole seconds. `events` are pairs of second and count."""
    end = int(now)
    return round(sum(count for second, count in events if end - window <= second < end) / window, 2)


def series(events: Iterable[Sequence[int]], now: float) -> list[float]:
    """Events a second in each whole bucket of the last ten minutes, oldest first."""
    end = int(now) // BUCKET_SECONDS * BUCKET_SECONDS
    counts = [0] * (SERIES_SECONDS // BUCKET_SECONDS)
    for second, count in events:
        place = (second - (end - SERIES_SECONDS)) // BUCKET_SECONDS
        if 0 <= place < len(counts):
            counts[place] += count
    return [count / BUCKET_SECONDS for count in counts]
