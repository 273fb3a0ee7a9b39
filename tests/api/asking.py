"""Asks the API in this process, as a client would over HTTP; Kafka, ClickHouse and PostgreSQL are small fakes."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
from fastapi import FastAPI

from api.app import app
from api.backends.backends import Backends
from api.backends.keys import Key, hashed, key_id_of
from api.backends.postgres import Postgres
from api.backends.protocols import Record
from api.backends.table_cache import TableCache
from api.http.problems import Problem, unavailable
from api.registry import open_domains
from conf import Settings
from tests.support.steady_loop import SteadyLoop

# One loop for all clients, closed at the end: a loop that is only forgotten warns.
RUNNER = asyncio.Runner(loop_factory=SteadyLoop)
atexit.register(RUNNER.close)
Json = dict[str, Any]
GOOD: Json = {
    "purchase_id": "17", "purchased_at": "2026-01-31T09:30:00Z", "seller_id": "almaly-market", "currency_code": "KZT",
    "lines": [{"product_id": "p", "quantity": 2, "unit_price": 2.55}],
}  # fmt: skip


class FakeProducer:
    """Takes records at once, or is away."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Record]] = []
        self.trouble: Problem | None = None

    async def send(self, topic: str, records: Sequence[Record]) -> None:
        if self.trouble:
            raise self.trouble
        self.sent += [(topic, record) for record in records]


class FakeWarehouse:
    """Answers what a test has prepared, by the table that is asked for, and remembers the questions."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Json]] = {}
        self.queries: list[tuple[str, Mapping[str, Any]]] = []
        self.is_away = False
        self.pieces: list[bytes] = []

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Json]:
        if self.is_away:
            raise unavailable("ClickHouse")
        self.queries.append((sql, parameters or {}))
        if " arrival, line_no" in sql:
            return self.answers.get("versions", [])
        if "HAVING" in sql:
            return self.answers.get("later", [])
        return next((rows for table, rows in self.answers.items() if table in sql), [])

    async def stream(self, sql: str, parameters: Mapping[str, Any] | None = None) -> AsyncIterator[bytes]:
        if self.is_away:
            raise unavailable("ClickHouse")
        self.queries.append((sql, parameters or {}))
        for piece in self.pieces:
            yield piece


class FakeIdempotency:
    """In memory."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], bytes] = {}

    async def claim(self, owner: str, text: str, content: bytes) -> None:
        if self.known.setdefault((owner, text), content) != content:
            raise Problem(422, "idempotency-key", "It was used for another body.")


class FakePostgres(Postgres):
    """Has no connection: a test that needs rows gives the shop's catalogues another."""

    def __init__(self) -> None:
        pass


@dataclass
class FakeTable:
    """Rows as PostgreSQL would give them to a `TableCache`, which is what is tested with it."""

    rows: dict[str, Any] = field(default_factory=dict)
    is_away: bool = False
    queries: list[list[str]] = field(default_factory=list)

    async def load(self) -> dict[str, Any]:
        if self.is_away:
            raise unavailable("PostgreSQL")
        return dict(self.rows)

    async def find(self, keys: list[str]) -> dict[str, Any]:
        self.queries.append(keys)
        if self.is_away:
            raise unavailable("PostgreSQL")
        return {key: self.rows[key] for key in keys if key in self.rows}


def table_cache(table: FakeTable) -> TableCache[Any]:
    return TableCache(table.load, table.find, fresh_seconds=5, stale_seconds=60)


KEYS = {
    "admin": "k1.a-key-of-the-tests", "reader": "k2.a-key-of-the-tests", "buyer": "k3.a-key-of-the-tests",
    "writer": "k4.a-key-of-the-tests", "slow": "k5.a-key-of-the-tests",
}  # fmt: skip
SCOPES = {"admin": ["admin"], "reader": ["read"], "buyer": ["write:purchases"],
          "writer": ["read", "write:catalogue"], "slow": ["read"]}  # fmt: skip


def _keys() -> FakeTable:
    return FakeTable(
        {
            key_id_of(text): Key(
                key_id_of(text), hashed(text), name, frozenset(SCOPES[name]), 6 if name == "slow" else 600_000
            )
            for name, text in KEYS.items()
        }
    )


@dataclass
class Client:
    """`ask` sends one request with the key of that name."""

    app: FastAPI
    backends: Backends
    producer: FakeProducer
    warehouse: FakeWarehouse
    keys: FakeTable
    sellers: FakeTable

    def ask(self, method: str, path: str, key: str | None = "admin", **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {KEYS.get(key, key)}"} if key is not None else {}
        if "json" in more:
            more["content"] = orjson.dumps(more.pop("json"))
            headers["Content-Type"] = "application/json"
        headers |= more.pop("headers", {})

        async def requested() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                return await http.request(method, path, headers=headers, **more)

        return RUNNER.run(requested())

    def get(self, path: str, key: str | None = "admin") -> httpx.Response:
        return self.ask("GET", path, key)

    def send(self, value: Any, **more: Any) -> httpx.Response:
        return self.ask("POST", "/v1/purchases", json=value, **more)


def client(home: Path, **settings: Any) -> Client:
    """An API of its own; `settings` are those that a test is about."""
    chosen = Settings(stack="unit", home=home, **settings)
    producer, warehouse, keys, sellers = FakeProducer(), FakeWarehouse(), _keys(), FakeTable({"almaly-market": True})
    application = app(chosen)
    backends = Backends(
        chosen, application.state.metrics, warehouse, FakePostgres(), producer, FakeProducer(), FakeIdempotency(),
        table_cache(keys), key_caches={"shop.sellers": table_cache(sellers)},
    )  # fmt: skip
    # What the server's start would do.
    open_domains(backends)
    application.state.backends = backends
    return Client(application, backends, producer, warehouse, keys, sellers)


def problem(answer: httpx.Response, status: int) -> Json:
    """The problem document of an answer, which must be one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    actual: Json = answer.json()
    assert actual["status"] == status
    assert actual["type"].startswith("urn:sauda:problem:")
    assert actual["title"]
    assert actual["detail"].endswith((".", '"')) or actual.get("errors"), actual
    return actual
