"""What the page asks ClickHouse about purchases."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from api.backends.protocols import Warehouse
from api.backends.warehouse import arrived_since, view_over
from api.live.queries import HOUR, QUIET, ScheduledQueries, ScheduledQuery
from api.purchases.live_document import RevenueStep, Sales, merged

MAX_LATEST, MAX_PRODUCTS = 14, 8
STEP_SECONDS, RECENT_SECONDS = 10, 20
"""Revenue is asked by steps of ten seconds; each second, those of the last twenty are asked again."""

# Copies of an event that ClickHouse has not merged away yet count once, by the first. What a later event of its number
# superseded does not count; as that one came later, it is listed since then too.
_LINES = f"""
    SELECT
        event_id, line_no, min(ingested_at) AS at, any(seller_id) AS seller_id, any(currency_code) AS currency_code,
        any(product_id) AS product_id, any(description) AS description, any(quantity) AS quantity,
        any(line_amount) AS line_amount, any(sold_on) AS sold_on
    FROM silver.purchase_lines
    WHERE {arrived_since("silver.purchase_lines")}
        AND event_id NOT IN (
            SELECT event_id FROM silver.purchase_corrections WHERE {arrived_since("silver.purchase_corrections")}
        )
    GROUP BY event_id, line_no
"""
_VALUED = view_over("silver.purchase_lines_in_base", "silver.purchase_lines_latest", _LINES)
REVENUE = f"""
SELECT
    intDiv(toUnixTimestamp(at), {STEP_SECONDS}) * {STEP_SECONDS} AS begins_at, toString(currency_code) AS currency_code,
    toFloat64(sum(line_amount)) AS revenue_amount, countIf(line_no = 0) AS purchase_count,
    toFloat64(sum(line_base_amount)) AS revenue_base_amount,
    countIf(line_base_amount IS NULL) AS unconverted_line_count, any(base_currency_code) AS base_currency_code
FROM ({_VALUED}) GROUP BY begins_at, currency_code {QUIET}
"""
PRODUCTS = f"""
SELECT
    toString(currency_code) AS currency_code, toString(seller_id) AS seller_id, product_id,
    max(description) AS description, sum(quantity) AS piece_count, toFloat64(sum(line_amount)) AS revenue_amount
FROM ({_LINES}) GROUP BY currency_code, seller_id, product_id ORDER BY revenue_amount DESC, seller_id, product_id
LIMIT {{most:UInt32}} BY currency_code {QUIET}
"""
TOP_PRODUCTS = f"""
SELECT
    toString(any(base_currency_code)) AS currency_code, toString(seller_id) AS seller_id, product_id,
    max(description) AS description, sum(quantity) AS piece_count, toFloat64(sum(line_base_amount)) AS revenue_amount
FROM ({_VALUED}) GROUP BY seller_id, product_id ORDER BY revenue_amount DESC NULLS LAST, seller_id, product_id
LIMIT {{most:UInt32}} {QUIET}
"""
PURCHASES = f"""
SELECT
    event_id, toFloat64(min(at)) AS at, toString(any(seller_id)) AS seller_id,
    toString(any(currency_code)) AS currency_code, toFloat64(sum(line_amount)) AS amount, count() AS line_count,
    argMax(coalesce(description, product_id), abs(line_amount)) AS product
FROM ({_LINES}) GROUP BY event_id ORDER BY at DESC, event_id LIMIT {{most:UInt32}} {QUIET}
"""
NEWEST = f"SELECT toFloat64(max(ingested_at)) AS at, count() AS line_count FROM silver.purchase_lines {QUIET}"


class SalesFigures(ScheduledQueries):
    """Sales of the last hour. The newest revenue and purchases are asked each time."""

    def __init__(self, warehouse: Warehouse, clock: Callable[[], float] = time.time) -> None:
        super().__init__(warehouse, clock)
        self.recent, self.purchases = ScheduledQuery(REVENUE, 0), ScheduledQuery(PURCHASES, 0)
        self.slow = [
            (ScheduledQuery(NEWEST, 30), self._newest),
            (ScheduledQuery(REVENUE, 30), self._hour),
            (ScheduledQuery(PRODUCTS, 5), self._products),
            (ScheduledQuery(TOP_PRODUCTS, 5), self._top_products),
        ]
        self.sales = Sales()

    def answer(self) -> Sales:
        return self.sales

    async def ask_news(self, now: float) -> None:
        hour, recent = int(now) - HOUR, int(now) // STEP_SECONDS * STEP_SECONDS - RECENT_SECONDS
        if self.recent.is_due(now):
            await self._revenue(self.recent, recent)
        if self.purchases.is_due(now):
            await self._purchases(self._purchases_since(hour, recent))

    async def _newest(self, query: ScheduledQuery, _: int) -> None:
        (row,) = await self.ask(query)
        self._keep(newest_at=row["at"] if row["line_count"] else None)

    async def _hour(self, query: ScheduledQuery, hour: int) -> None:
        await self._revenue(query, hour // 60 * 60)

    async def _revenue(self, query: ScheduledQuery, since: int) -> None:
        rows = await self.ask(query, since=since)
        self._keep(revenue_steps=merged(self.sales.revenue_steps, (RevenueStep(**row) for row in rows), since))

    async def _purchases(self, since: int) -> None:
        rows = await self.ask(self.purchases, since=since, most=MAX_LATEST)
        newest = max((row["at"] for row in rows), default=0.0)
        self._keep(latest=rows, newest_at=max(newest, self.sales.newest_at or 0.0) or None)

    def _purchases_since(self, hour: int, recent: int) -> int:
        """From when on the latest purchases are looked for: as late as will do."""
        count = 0
        for step in sorted(self.sales.revenue_steps, reverse=True):
            count += step.purchase_count
            if count >= MAX_LATEST:
                return min(step.begins_at, recent)
        return min(hour, int(self.sales.newest_at or hour + HOUR) - HOUR)

    async def _products(self, query: ScheduledQuery, hour: int) -> None:
        self._keep(products=await self.ask(query, since=hour, most=MAX_PRODUCTS))

    async def _top_products(self, query: ScheduledQuery, hour: int) -> None:
        self._keep(top_products=await self.ask(query, since=hour, most=MAX_PRODUCTS))

    def _keep(self, **answers: Any) -> None:
        self.sales = self.sales._replace(**answers)
