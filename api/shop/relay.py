"""Sends the outbox to Kafka: changes of the shop in their order, each once for consumers that deduplicate by ce_id.

A row is deleted only after Kafka has acknowledged it. After a crash in between it is sent again under the same id:
Kafka then holds it twice, and consumers count an id once.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from typing import Any

from psycopg import AsyncConnection, Error
from psycopg.rows import DictRow

from api.backends.postgres import Postgres, cut_after, options
from api.backends.protocols import EventProducer, Record
from api.http.metrics import Metrics
from api.http.problems import Problem
from conf import Settings
from conf.postgres_values import Unreadable, tolerate
from schemas.common.cloudevents import cloud_event, instant

LOG = logging.getLogger("sauda.api")
LOCK = 0x5A0DA_0002
"""Key of the relay's advisory lock; the migrations use another."""
BATCH = 500
PAUSE_SECONDS = 0.5
AWAY_SECONDS = 2.0
SOURCE = "/shop"
MAX_BYTES = 15_000_000
NEXT = (
    "SELECT position, event_id, topic, key, event_type, payload::text AS payload, created_at FROM shop.outbox"
    # A row that Kafka never accepts must not block the others: it stays, and is logged.
    f" WHERE octet_length(payload::text) <= {MAX_BYTES} ORDER BY position LIMIT %s"
)
WAITING = (
    "SELECT count(*) AS row_count, count(*) FILTER (WHERE octet_length(payload::text) > %s) AS too_large_count,"
    " coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE isfinite(created_at))), 0)::float"
    " AS oldest_seconds FROM shop.outbox"
)
LOOK_SECONDS, TELL_SECONDS = 10.0, 60.0
DONE = "DELETE FROM shop.outbox WHERE position = ANY(%s)"


class Backlog:
    """How much waits in the outbox, queried now and then, for another process may be the one that relays."""

    def __init__(self, postgres: Postgres, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._postgres, self._clock = postgres, clock
        self._told_at = -TELL_SECONDS
        self.rows, self.oldest_seconds = math.nan, math.nan
        metrics.gauge("outbox_rows", "Changes that wait in the outbox; NaN while that is not known.",
                       lambda: self.rows)  # fmt: skip
        metrics.gauge("outbox_oldest_seconds", "Age of the oldest change that waits.", lambda: self.oldest_seconds)

    async def run(self) -> None:
        """Query for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Query once; what has waited for a minute is logged, once a minute."""
        try:
            (waiting,) = await self._postgres.rows(WAITING, (MAX_BYTES,))
        except Problem:
            self.rows = self.oldest_seconds = math.nan
            return
        self.rows, self.oldest_seconds = waiting["row_count"], waiting["oldest_seconds"]
        if self.oldest_seconds >= TELL_SECONDS and self._clock() - self._told_at >= TELL_SECONDS:
            self._told_at = self._clock()
            LOG.warning("The outbox is not sent: %d changes wait for Kafka, the oldest for %d s",
                        self.rows, self.oldest_seconds)  # fmt: skip
            if waiting.get("too_large_count"):
                LOG.warning("%d changes have more than %d bytes, which Kafka does not take: they stay in shop.outbox, "
                            "and the others go on", waiting["too_large_count"], MAX_BYTES)  # fmt: skip

    def described(self) -> dict[str, float | None]:
        """For /readyz; null while it is not known."""
        known = not math.isnan(self.rows)
        return {"rows": self.rows if known else None,
                "oldest_seconds": round(self.oldest_seconds, 1) if known else None}  # fmt: skip


class Relay:
    """One relay at a time over all processes: it holds an advisory lock while its connection lives."""

    def __init__(self, settings: Settings, producer: EventProducer, metrics: Metrics) -> None:
        self._settings, self._producer = settings, producer
        self._relayed = metrics.counter("changes_relayed", "Changes of the shop that Kafka acknowledged.")
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was written just now."""
        self._woken.set()

    async def run(self) -> None:
        """Relay for ever; where PostgreSQL or Kafka is away, go on when it is back."""
        while True:
            try:
                connection = await AsyncConnection.connect(self._settings.postgres, **options(self._settings))
                async with connection:
                    tolerate(connection)
                    while not await _is_mine(connection):
                        await asyncio.sleep(AWAY_SECONDS)
                    await self._relay(connection)
            except (Error, Problem):
                # /readyz says so, and the outbox grows.
                await asyncio.sleep(AWAY_SECONDS)
            except Exception:
                LOG.exception("The relay of changes failed, and begins again")
                await asyncio.sleep(AWAY_SECONDS)

    async def _relay(self, connection: AsyncConnection[DictRow]) -> None:
        while True:
            self._woken.clear()
            with cut_after(connection):
                rows = await (await connection.execute(NEXT, (BATCH,))).fetchall()
            if rows:
                await self._send(rows)
                with cut_after(connection):
                    await connection.execute(DONE, ([row["position"] for row in rows],))
                self._relayed.inc(len(rows))
            if len(rows) < BATCH:
                # What another process writes does not wake this one.
                try:
                    async with asyncio.timeout(PAUSE_SECONDS):
                        await self._woken.wait()
                except TimeoutError:
                    pass

    async def _send(self, rows: list[dict[str, Any]]) -> None:
        by_topic: dict[str, list[Record]] = {}
        for row in rows:
            by_topic.setdefault(row["topic"], []).append(record(row))
        for topic, records in by_topic.items():
            await self._producer.send(topic, records)


def record(row: dict[str, Any]) -> Record:
    """A row of the outbox as Kafka gets it."""
    at = row["created_at"]
    time = None if isinstance(at, Unreadable) else instant(at)
    headers = cloud_event(str(row["event_id"]), row["event_type"], SOURCE, time)
    # PostgreSQL writes numbers as they are; through Python's floats they would not stay so.
    return Record(row["key"].encode(), row["payload"].encode(), headers)


async def _is_mine(connection: AsyncConnection[DictRow]) -> bool:
    with cut_after(connection):
        row = await (await connection.execute("SELECT pg_try_advisory_lock(%s) AS held", (LOCK,))).fetchone()
    return bool(row and row["held"])
