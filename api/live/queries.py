"""What the page asks: ClickHouse for refused events, the stream for its flow; and how queries are scheduled."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from api.backends.protocols import Warehouse
from api.backends.warehouse import arrived_since
from api.http.problems import Problem
from api.live.document import Flow, Refused
from conf import Settings
from conf.stream_progress import merged, stream_addresses

SHARE = 0.1
"""A query may take this share of the time at most: a slow one is asked less often."""
PAUSE_SECONDS = 10
"""After a pause without viewers, all queries run at once."""
MAX_REFUSALS = 5
HOUR = 3_600
QUIET = "SETTINGS max_threads = 1, max_execution_time = 5, log_queries = 0"

REFUSED = f"""
SELECT uniqExact(kafka_topic, event_id) AS refused_count
FROM ops.quarantine WHERE {arrived_since("ops.quarantine")} {QUIET}
"""
REFUSALS = f"""
SELECT event_id, toFloat64(ingested_at) AS at, toString(kafka_topic) AS topic, toString(rule) AS rule, sentence
FROM ops.quarantine WHERE {arrived_since("ops.quarantine")}
ORDER BY ingested_at DESC LIMIT 1 BY kafka_topic, event_id LIMIT {{most:UInt32}} {QUIET}
"""


@dataclass
class ScheduledQuery:
    """One query to ClickHouse, and when it is due again."""

    sql: str
    every: float
    due: float = 0.0

    def is_due(self, now: float) -> bool:
        return now >= self.due

    def done(self, began: float, seconds: float) -> None:
        """It was asked at `began` and took `seconds`."""
        self.due = began + max(self.every, seconds / SHARE)


class ScheduledQueries(ABC):
    """A source of figures that asks ClickHouse several queries.

    Of the queries about the whole hour (`slow`) one at most is asked each time, so that news never waits for them. A
    subclass says what is asked each time (`ask_news`), and what all answers together are (`answer`).
    """

    def __init__(self, warehouse: Warehouse, clock: Callable[[], float] = time.time) -> None:
        self.warehouse, self.clock = warehouse, clock
        self.slow: Sequence[tuple[ScheduledQuery, Callable[[ScheduledQuery, int], Awaitable[None]]]] = ()
        self.asked_at = 0.0

    async def __call__(self) -> Any:
        """Ask what is due, one after the other. Raises OSError with a sentence while ClickHouse does not answer."""
        try:
            await self._ask_due(self.clock())
        except Problem as problem:
            is_away = problem.kind == "unavailable"
            raise OSError("ClickHouse does not answer." if is_away else problem.detail) from None
        return self.answer()

    async def ask_news(self, now: float) -> None:  # noqa: B027
        """Ask what is asked each time; nothing by default."""

    @abstractmethod
    def answer(self) -> Any:
        """What was answered until now."""

    async def ask(self, query: ScheduledQuery, **parameters: int) -> list[dict[str, Any]]:
        """The rows of a query, which is then due again."""
        began = self.clock()
        try:
            rows = await self.warehouse.rows(query.sql, parameters)
        except BaseException:
            # One that is too slow is given a rest too, so that the others are answered.
            if self.clock() - began > 1:
                query.done(began, self.clock() - began)
            raise
        query.done(began, self.clock() - began)
        return rows

    async def _ask_due(self, now: float) -> None:
        due = sorted((slow for slow in self.slow if slow[0].is_due(now)), key=lambda slow: slow[0].due)
        for query, ask in due[:1] if now - self.asked_at < PAUSE_SECONDS else due:
            await ask(query, int(now) - HOUR)
        self.asked_at = now
        await self.ask_news(now)


class RefusedFigures(ScheduledQueries):
    """The refused events of the last hour, of all domains."""

    def __init__(self, warehouse: Warehouse, clock: Callable[[], float] = time.time) -> None:
        super().__init__(warehouse, clock)
        self.refused = Refused()
        self.slow = [(ScheduledQuery(REFUSED, 5), self._count), (ScheduledQuery(REFUSALS, 5), self._latest)]

    def answer(self) -> Refused:
        return self.refused

    async def _count(self, query: ScheduledQuery, hour: int) -> None:
        (row,) = await self.ask(query, since=hour)
        self.refused = self.refused._replace(event_count=row["refused_count"])

    async def _latest(self, query: ScheduledQuery, hour: int) -> None:
        rows: list[Any] = await self.ask(query, since=hour, most=MAX_REFUSALS)
        self.refused = self.refused._replace(latest=rows)


class StreamFigures:
    """What the streaming processes say of themselves on loopback."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient) -> None:
        self.addresses, self.client = stream_addresses(settings), client

    async def __call__(self) -> Flow:
        """Raises OSError with a sentence while the stream does not answer."""
        try:
            progress, recent = [await self._answers(name) for name in ("progress", "recent")]
            queries = {name: figures for answer in recent for name, figures in answer["queries"].items()}
            return Flow(merged(progress), {"now": max(answer["now"] for answer in recent), "queries": queries})
        except (httpx.HTTPError, orjson.JSONDecodeError) as error:
            raise OSError(f"The stream does not answer ({type(error).__name__}).") from None

    async def _answers(self, name: str) -> list[dict[str, Any]]:
        answers = await asyncio.gather(*(self.client.get(f"{address}/{name}") for address in self.addresses))
        return [orjson.loads(answer.content) for answer in answers]
