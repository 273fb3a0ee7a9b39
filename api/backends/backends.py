"""What the API talks to: opened together, closed together; each may be away without taking the API down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from api.backends import keys as stored
from api.backends import topics
from api.backends.idempotency import IdempotencyKeys
from api.backends.keys import Key
from api.backends.postgres import Postgres
from api.backends.protocols import Warehouse
from api.backends.table_cache import TableCache
from api.backends.topics import KafkaProducer
from api.backends.warehouse import ClickHouse
from api.http.bodies import LARGE
from api.http.metrics import Metrics
from api.http.problems import Problem
from api.http.rate_limit import RateLimiter
from api.http.readiness import Probe, SharedProbe
from api.purchases.service import FIND_SELLERS, SELLERS, Purchases
from api.purchases.versions import Versions
from api.shop.entities import catalogue
from api.shop.relay import Backlog, Relay
from api.shop.service import Catalogue
from conf import Settings

Task = Callable[[], Awaitable[None]]
LOG = logging.getLogger("sauda.api")
AGAIN_SECONDS = 2.0
ROWS_AT_ONCE = 2_000
STRANGERS_PER_MINUTE = 1_200


@dataclass
class Backends:
    """The parts of one application. `probes` say, by name, whether a part answers: they raise where it does not."""

    settings: Settings
    warehouse: Warehouse
    keys: TableCache[Key]
    sellers: TableCache[bool]
    purchases: Purchases
    catalogues: dict[str, Catalogue] = field(default_factory=dict)
    probes: dict[str, Probe] = field(default_factory=dict)
    rates: RateLimiter = field(default_factory=RateLimiter)
    changed: Callable[[], None] = lambda: None
    """To be called after a change of the catalogue, so that it is relayed at once."""
    backlog: Backlog | None = None
    opens: list[Task] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    closes: list[Task] = field(default_factory=list)
    _large: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @classmethod
    def of(cls, settings: Settings, metrics: Metrics) -> Backends:
        """The real parts; nothing is asked of them yet."""
        clickhouse, shop = ClickHouse(settings), Postgres(settings)
        kafka, outbox = KafkaProducer(topics.purchases(settings)), KafkaProducer(topics.changes(settings))
        metrics.gauge("kafka_waiting", "Events that wait for Kafka's acknowledgement.", lambda: kafka.waiting)
        fresh, stale = settings.api_cache_seconds, settings.api_stale_seconds

        async def load_keys() -> dict[str, Key]:
            return {row["key_id"]: Key.of(row) for row in await shop.rows(stored.LOAD)}

        strangers = RateLimiter()

        async def find_keys(ids: list[str]) -> dict[str, Key]:
            # Whoever guesses keys must not keep PostgreSQL busy with them.
            strangers.take("", STRANGERS_PER_MINUTE)
            return {row["key_id"]: Key.of(row) for row in await shop.rows(stored.FIND, (ids,))}

        async def find_sellers(ids: list[str]) -> dict[str, bool]:
            return {row["seller_id"]: True for row in await shop.rows(FIND_SELLERS, (ids,))}

        async def keep_demo() -> None:
            while True:
                try:
                    await shop.rows(stored.DEMO, stored.demo(settings))
                    return
                except Problem:
                    await asyncio.sleep(settings.api_cache_seconds)

        keys = TableCache(load_keys, find_keys, fresh_seconds=fresh, stale_seconds=stale)
        sellers = TableCache(lambda: _sellers(shop), find_sellers, fresh_seconds=fresh, stale_seconds=stale)
        claims, relay, backlog = IdempotencyKeys(shop), Relay(settings, outbox, metrics), Backlog(shop, metrics)
        versions = Versions(clickhouse)
        purchases = Purchases(kafka, sellers, claims, versions, metrics, settings.secrets.receipt)
        return cls(
            settings, clickhouse, keys, sellers, purchases,
            catalogues={plural: Catalogue(shop, entity) for plural, entity in catalogue().items()},
            probes={"kafka": kafka.probe, "clickhouse": clickhouse.probe, "postgres": shop.probe},
            changed=relay.wake, backlog=backlog,
            opens=[shop.open],
            tasks=[keep_demo, keys.run, sellers.run, claims.run, relay.run, backlog.run, versions.run],
            closes=[
                lambda: kafka.close(settings.api_kafka_seconds), lambda: outbox.close(0.0), shop.close, clickhouse.close
            ],
        )  # fmt: skip

    def __post_init__(self) -> None:
        self.probes = {name: SharedProbe(probe) for name, probe in self.probes.items()}

    def turn(self, size: int) -> AbstractAsyncContextManager[Any]:
        """To be held while a body of that size is read and judged: the large ones go one after the other.

        Else many of them would all have their values in memory, and between any two steps of a small request each
        would have one of its own.
        """
        return self._large if size > LARGE else nullcontext()

    async def __aenter__(self) -> Self:
        for close in reversed(self.closes):
            self._stack.push_async_callback(close)
        for opening in self.opens:
            await opening()
        self._stack.push_async_callback(_end, [asyncio.ensure_future(_steadily(task)) for task in self.tasks])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._stack.aclose()


async def _steadily(task: Task) -> None:
    """A task that fails begins again: nobody waits for it who would notice that it is gone."""
    while True:
        try:
            return await task()
        except Exception:
            LOG.exception("A task in the background failed, and begins again")
            await asyncio.sleep(AGAIN_SECONDS)


async def _end(tasks: list[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _sellers(shop: Postgres) -> dict[str, bool]:
    """All sellers, some at a time, so that a large shop does not keep requests waiting."""
    found: dict[str, bool] = {}
    async with shop.connection() as connection:
        cursor = await connection.execute(SELLERS)
        while rows := await cursor.fetchmany(ROWS_AT_ONCE):
            found.update({row["seller_id"]: True for row in rows})
            await asyncio.sleep(0)
    return found
