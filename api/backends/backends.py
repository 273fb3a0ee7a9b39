"""The backends of the API: opened and closed together; while one is away, the API goes on without it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from fastapi import Request
from psycopg.sql import SQL, Identifier

from api.backends import keys as stored
from api.backends import topics
from api.backends.idempotency import IdempotencyKeys
from api.backends.keys import Key
from api.backends.postgres import Postgres
from api.backends.protocols import EventProducer, IdempotencyStore, Warehouse
from api.backends.table_cache import TableCache
from api.backends.topics import KafkaProducer
from api.backends.warehouse import ClickHouse
from api.http.bodies import LARGE
from api.http.metrics import Metrics
from api.http.problems import Problem
from api.http.rate_limit import RateLimiter
from api.http.readiness import Probe, SharedProbe
from conf import Settings

Task = Callable[[], Awaitable[None]]
Service = TypeVar("Service")
LOG = logging.getLogger("sauda.api")
RETRY_SECONDS = 2.0
ROWS_AT_ONCE = 2_000
UNKNOWN_KEYS_PER_MINUTE = 1_200


@dataclass
class Backends:
    """The backends of one application, and the services that its domains make of them.

    `producer` is for requests, `patient_producer` for an outbox: it waits for Kafka as long as it takes. `probes` say,
    by name, whether a backend answers: they raise where it does not. `details` are further members of ``/readyz``.
    """

    settings: Settings
    metrics: Metrics
    warehouse: Warehouse
    postgres: Postgres
    producer: EventProducer
    patient_producer: EventProducer
    idempotency: IdempotencyStore
    keys: TableCache[Key]
    key_caches: dict[str, TableCache[bool]] = field(default_factory=dict)
    probes: dict[str, Probe] = field(default_factory=dict)
    details: dict[str, Callable[[], Any]] = field(default_factory=dict)
    rates: RateLimiter = field(default_factory=RateLimiter)
    opens: list[Task] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    closes: list[Task] = field(default_factory=list)
    _services: dict[type, Any] = field(default_factory=dict)
    _large: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @classmethod
    def of(cls, settings: Settings, metrics: Metrics) -> Backends:
        """The real backends; they are not connected yet."""
        clickhouse, postgres = ClickHouse(settings), Postgres(settings)
        kafka, outbox = KafkaProducer(topics.for_requests(settings)), KafkaProducer(topics.for_outbox(settings))
        metrics.gauge("kafka_waiting", "Events that wait for Kafka's acknowledgement.", lambda: kafka.waiting)

        async def load_keys() -> dict[str, Key]:
            return {row["key_id"]: Key.of(row) for row in await postgres.rows(stored.LOAD)}

        unknown_keys = RateLimiter()

        async def find_keys(ids: list[str]) -> dict[str, Key]:
            # Guessed keys must not keep PostgreSQL busy.
            unknown_keys.take("", UNKNOWN_KEYS_PER_MINUTE)
            return {row["key_id"]: Key.of(row) for row in await postgres.rows(stored.FIND, (ids,))}

        async def keep_demo() -> None:
            while True:
                try:
                    await postgres.rows(stored.DEMO, stored.demo(settings))
                    return
                except Problem:
                    await asyncio.sleep(settings.api_cache_seconds)

        keys = TableCache(load_keys, find_keys, **_ages(settings))
        idempotency = IdempotencyKeys(postgres)
        return cls(
            settings, metrics, clickhouse, postgres, kafka, outbox, idempotency, keys,
            probes={"kafka": kafka.probe, "clickhouse": clickhouse.probe, "postgres": postgres.probe},
            opens=[postgres.open],
            tasks=[keep_demo, keys.run, idempotency.run],
            closes=[
                lambda: kafka.close(settings.api_kafka_seconds), lambda: outbox.close(0.0), postgres.close,
                clickhouse.close,
            ],
        )  # fmt: skip

    def __post_init__(self) -> None:
        self.probes = {name: SharedProbe(probe) for name, probe in self.probes.items()}

    def provide(self, service: object) -> None:
        """Add a service of a domain: its routes get it by its class."""
        self._services[type(service)] = service

    def service(self, kind: type[Service]) -> Service:
        """The service of this class."""
        service: Service = self._services[kind]
        return service

    def key_cache(self, table: str, column: str) -> TableCache[bool]:
        """The keys that a table of PostgreSQL has, in memory: one cache for all domains that use the table.

        What writes to the table says so (`know`, `forget`), so that other domains see it without delay.
        """
        if table not in self.key_caches:
            key, name = Identifier(column), Identifier(*table.split("."))
            every = SQL("SELECT {} AS key FROM {}").format(key, name)
            some = SQL("{} WHERE {} = ANY(%s)").format(every, key)

            async def load() -> dict[str, bool]:
                return await _keys(self.postgres, every)

            async def find(keys: list[str]) -> dict[str, bool]:
                return {row["key"]: True for row in await self.postgres.rows(some, (keys,))}

            self.key_caches[table] = TableCache(load, find, **_ages(self.settings))
            self.tasks.append(self.key_caches[table].run)
        return self.key_caches[table]

    def turn(self, size: int) -> AbstractAsyncContextManager[Any]:
        """A lock to hold while a body of that size is read and validated: large ones go one after the other.

        Otherwise the values of many large bodies would be in memory together, and small requests would wait for all of
        them.
        """
        return self._large if size > LARGE else nullcontext()

    async def __aenter__(self) -> Self:
        for close in reversed(self.closes):
            self._stack.push_async_callback(close)
        for opening in self.opens:
            await opening()
        self._stack.push_async_callback(_end, [asyncio.ensure_future(_repeated(task)) for task in self.tasks])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._stack.aclose()


def backends_of(request: Request) -> Backends:
    """The backends of the application that a request came to."""
    backends: Backends = request.app.state.backends
    return backends


def _ages(settings: Settings) -> dict[str, Any]:
    return {"fresh_seconds": settings.api_cache_seconds, "stale_seconds": settings.api_stale_seconds}


async def _repeated(task: Task) -> None:
    """Run a task, and again when it fails: nothing else would notice that it ended."""
    while True:
        try:
            return await task()
        except Exception:
            LOG.exception("A background task failed and is started again")
            await asyncio.sleep(RETRY_SECONDS)


async def _end(tasks: list[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _keys(postgres: Postgres, query: Any) -> dict[str, bool]:
    """All keys of a table, some at a time, so that a large table does not keep requests waiting."""
    keys: dict[str, bool] = {}
    async with postgres.connection() as connection:
        cursor = await connection.execute(query)
        while rows := await cursor.fetchmany(ROWS_AT_ONCE):
            keys.update({row["key"]: True for row in rows})
            await asyncio.sleep(0)
    return keys
