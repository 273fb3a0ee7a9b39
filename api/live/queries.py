"""What the page asks: ClickHouse for sales and refusals, the stream for its flow."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from api.backends.protocols import Warehouse
from api.http.problems import Problem
from api.live.document import Flow, RevenueStep, Sales, merged
from conf import LOOPBACK, Settings

SHARE = 0.1
"""A question may take this share of the time at most: a slow one is asked less often."""
PAUSE_SECONDS = 10
"""After a pause in which nobody watched, all is asked at once."""
LATEST, TOP, FEW = 14, 8, 5
HOUR = 3_600
STEP_SECONDS, RECENT_SECONDS = 10, 20
"""Takings are asked by steps of ten seconds; each second, those of the last twenty are asked again."""
_QUIET = "SETTINGS max_threads = 1, max_execution_time = 5, log_queries = 0"

# A row that came since then lies in a part that was written since then: older parts need not be read. Parts that were
# merged away meanwhile are named too, for the query may still read them.
_SINCE = """
    ingested_at >= toDateTime({since:UInt32}) AND _part IN (
        SELECT name FROM system.parts
        WHERE database = '{database}' AND table = '{table}' AND modification_time >= toDateTime({since:UInt32}) - 60
    )
"""


def _since(name: str) -> str:
    """The condition that a row of this table came since ``since``."""
    database, _, table = name.partition(".")
    return _SINCE.replace("{database}", database).replace("{table}", table)


# Copies of an event that ClickHouse has not merged away yet count once, by the first. What a later event of its number
# superseded does not count; as that one came later, it is listed since then too.
_LINES = f"""
    SELECT
        event_id, line_no, min(ingested_at) AS at, any(seller_id) AS seller_id, any(currency_code) AS currency_code,
        any(product_id) AS product_id, any(description) AS description, any(quantity) AS quantity,
        any(line_amount) AS line_amount, any(sold_on) AS sold_on
    FROM silver.purchase_lines
    WHERE {_since("silver.purchase_lines")}
        AND event_id NOT IN (
            SELECT event_id FROM silver.purchase_corrections WHERE {_since("silver.purchase_corrections")}
        )
    GROUP BY event_id, line_no
"""
# As silver.purchase_lines_in_base, over these lines only.
_VALUED = f"""
    SELECT
        l.event_id AS event_id, l.line_no AS line_no, l.at AS at, l.seller_id AS seller_id,
        l.currency_code AS currency_code, l.product_id AS product_id, l.description AS description,
        l.quantity AS quantity, l.line_amount AS line_amount, b.base_currency_code AS base_currency_code,
        multiIf(
            l.currency_code = b.base_currency_code, toNullable(toDecimal128(l.line_amount, 4)),
            r.unit_rate > 0 AND l.sold_on <= addDays(r.quoted_on, b.rate_days),
            toDecimal128(round(toDecimal128(l.line_amount, 4) * r.unit_rate, 4), 4),
            NULL
        ) AS base_amount
    FROM ({_LINES}) AS l
    CROSS JOIN silver.base_currency AS b
    ASOF LEFT JOIN silver.exchange_rates_in_base AS r
        ON r.currency_code = toString(l.currency_code) AND l.sold_on >= r.quoted_on
"""
TAKINGS = f"""
SELECT
    intDiv(toUnixTimestamp(at), {STEP_SECONDS}) * {STEP_SECONDS} AS taken_at, toString(currency_code) AS currency_code,
    toFloat64(sum(line_amount)) AS revenue_amount, countIf(line_no = 0) AS purchase_count,
    toFloat64(sum(base_amount)) AS revenue_base_amount, countIf(base_amount IS NULL) AS unconverted_line_count,
    any(base_currency_code) AS base_currency_code
FROM ({_VALUED}) GROUP BY taken_at, currency_code {_QUIET}
"""
PRODUCTS = f"""
SELECT
    toString(currency_code) AS currency_code, toString(seller_id) AS seller_id, product_id,
    max(description) AS description, sum(quantity) AS piece_count, toFloat64(sum(line_amount)) AS revenue_amount
FROM ({_LINES}) GROUP BY currency_code, seller_id, product_id ORDER BY revenue_amount DESC, seller_id, product_id
LIMIT {{most:UInt32}} BY currency_code {_QUIET}
"""
TOP_PRODUCTS = f"""
SELECT
    toString(any(base_currency_code)) AS currency_code, toString(seller_id) AS seller_id, product_id,
    max(description) AS description, sum(quantity) AS piece_count, toFloat64(sum(base_amount)) AS revenue_amount
FROM ({_VALUED}) GROUP BY seller_id, product_id ORDER BY revenue_amount DESC NULLS LAST, seller_id, product_id
LIMIT {{most:UInt32}} {_QUIET}
"""
PURCHASES = f"""
SELECT
    event_id, toFloat64(min(at)) AS at, toString(any(seller_id)) AS seller_id,
    toString(any(currency_code)) AS currency_code, toFloat64(sum(line_amount)) AS amount, count() AS line_count,
    argMax(coalesce(description, product_id), abs(line_amount)) AS product
FROM ({_LINES}) GROUP BY event_id ORDER BY at DESC, event_id LIMIT {{most:UInt32}} {_QUIET}
"""
NEWEST = f"SELECT toFloat64(max(ingested_at)) AS at, count() AS line_count FROM silver.purchase_lines {_QUIET}"
REFUSED = f"""
SELECT uniqExact(kafka_topic, event_id) AS refused_count FROM ops.quarantine WHERE {_since("ops.quarantine")} {_QUIET}
"""
REFUSALS = f"""
SELECT event_id, toFloat64(ingested_at) AS at, toString(kafka_topic) AS topic, toString(rule) AS rule, sentence
FROM ops.quarantine WHERE {_since("ops.quarantine")}
ORDER BY ingested_at DESC LIMIT 1 BY kafka_topic, event_id LIMIT {{most:UInt32}} {_QUIET}
"""


@dataclass
class ScheduledQuery:
    """One question to ClickHouse, and when it is due again."""

    sql: str
    every: float
    due: float = 0.0

    def is_due(self, now: float) -> bool:
        return now >= self.due

    def asked(self, began: float, seconds: float) -> None:
        """It was asked at `began` and took `seconds`."""
        self.due = began + max(self.every, seconds / SHARE)


class SalesFigures:
    """Sales and refusals of the last hour.

    The newest takings and purchases are asked each time; of the questions about the whole hour one at most, so that a
    purchase never waits for them.
    """

    def __init__(self, warehouse: Warehouse, clock: Callable[[], float] = time.time) -> None:
        self.warehouse, self.clock = warehouse, clock
        self.recent, self.purchases = ScheduledQuery(TAKINGS, 0), ScheduledQuery(PURCHASES, 0)
        self.slow: list[tuple[ScheduledQuery, Callable[[ScheduledQuery, int], Awaitable[None]]]] = [
            (ScheduledQuery(NEWEST, 30), self._newest),
            (ScheduledQuery(TAKINGS, 30), self._hour),
            (ScheduledQuery(PRODUCTS, 5), self._products),
            (ScheduledQuery(TOP_PRODUCTS, 5), self._top_products),
            (ScheduledQuery(REFUSED, 5), self._refused),
            (ScheduledQuery(REFUSALS, 5), self._refusals),
        ]
        self.looked_at = 0.0
        self.told = Sales()

    async def __call__(self) -> Sales:
        """Ask what is due, one after the other. Raises OSError with a sentence while ClickHouse does not answer."""
        try:
            await self._look(self.clock())
        except Problem as problem:
            away = problem.kind == "unavailable"
            raise OSError("ClickHouse does not answer." if away else problem.detail) from None
        return self.told

    async def _look(self, now: float) -> None:
        hour, recent = int(now) - HOUR, int(now) // STEP_SECONDS * STEP_SECONDS - RECENT_SECONDS
        due = sorted((slow for slow in self.slow if slow[0].is_due(now)), key=lambda slow: slow[0].due)
        for question, ask in due[:1] if now - self.looked_at < PAUSE_SECONDS else due:
            await ask(question, hour)
        self.looked_at = now
        if self.recent.is_due(now):
            await self._takings(self.recent, recent)
        if self.purchases.is_due(now):
            await self._purchases(self._purchases_since(hour, recent))

    async def _newest(self, question: ScheduledQuery, _: int) -> None:
        (row,) = await self._ask(question)
        self._tell(newest_at=row["at"] if row["line_count"] else None)

    async def _hour(self, question: ScheduledQuery, hour: int) -> None:
        await self._takings(question, hour // 60 * 60)

    async def _takings(self, question: ScheduledQuery, since: int) -> None:
        rows = await self._ask(question, since=since)
        self._tell(takings=merged(self.told.takings, (RevenueStep(**row) for row in rows), since))

    async def _purchases(self, since: int) -> None:
        rows = await self._ask(self.purchases, since=since, most=LATEST)
        newest = max((row["at"] for row in rows), default=0.0)
        self._tell(latest=rows, newest_at=max(newest, self.told.newest_at or 0.0) or None)

    def _purchases_since(self, hour: int, recent: int) -> int:
        """From when on the latest purchases are looked for: as late as will do."""
        count = 0
        for taking in sorted(self.told.takings, reverse=True):
            count += taking.purchase_count
            if count >= LATEST:
                return min(taking.taken_at, recent)
        return min(hour, int(self.told.newest_at or hour + HOUR) - HOUR)

    async def _products(self, question: ScheduledQuery, hour: int) -> None:
        self._tell(products=await self._ask(question, since=hour, most=TOP))

    async def _top_products(self, question: ScheduledQuery, hour: int) -> None:
        self._tell(top_products=await self._ask(question, since=hour, most=TOP))

    async def _refused(self, question: ScheduledQuery, hour: int) -> None:
        (row,) = await self._ask(question, since=hour)
        self._tell(refused_count=row["refused_count"])

    async def _refusals(self, question: ScheduledQuery, hour: int) -> None:
        self._tell(refusals=await self._ask(question, since=hour, most=FEW))

    async def _ask(self, question: ScheduledQuery, **parameters: int) -> list[dict[str, Any]]:
        began = self.clock()
        try:
            rows = await self.warehouse.rows(question.sql, parameters)
        except BaseException:
            # One that is too slow is given a rest too, so that the others are answered.
            if self.clock() - began > 1:
                question.asked(began, self.clock() - began)
            raise
        question.asked(began, self.clock() - began)
        return rows

    def _tell(self, **facts: Any) -> None:
        self.told = self.told._replace(**facts)


class StreamFigures:
    """What the streaming process tells of itself on loopback."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient) -> None:
        self.address, self.client = f"http://{LOOPBACK}:{settings.port('metrics')}", client

    async def __call__(self) -> Flow:
        """Raises OSError with a sentence while the stream does not answer."""
        try:
            progress, recent = [await self.client.get(f"{self.address}/{name}") for name in ("progress", "recent")]
            return Flow(orjson.loads(progress.content), orjson.loads(recent.content))
        except (httpx.HTTPError, orjson.JSONDecodeError) as error:
            raise OSError(f"The stream does not answer ({type(error).__name__}).") from None
