"""Idempotency keys, remembered in PostgreSQL by few statements for many requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from psycopg import errors

from api.backends.idempotency import IdempotencyKeys
from api.http.problems import Problem, unavailable
from tests.api.asking import RUNNER


class FakeDatabase:
    """The table of claims, and how many statements it took."""

    def __init__(self) -> None:
        self.rows_of: dict[bytes, bytes] = {}
        self.notes = 0
        self.is_away = False
        self.trouble: Exception | None = None
        self.hangs: asyncio.Event | None = None
        self.age_seconds = 0.0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        if self.is_away:
            raise unavailable("PostgreSQL")
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield

    async def execute(self, sql: str, values: Any) -> FakeDatabase:
        if self.trouble:
            raise self.trouble
        if self.hangs:
            await self.hangs.wait()
        if sql.startswith("INSERT"):
            self.notes += 1
            for claim, content in zip(*values, strict=True):
                self.rows_of.setdefault(claim, content)
        else:
            self.claims = values[0]
        return self

    async def fetchall(self) -> list[dict[str, Any]]:
        return [
            {"claim": claim, "content": self.rows_of[claim], "age_seconds": self.age_seconds}
            for claim in self.claims if claim in self.rows_of
        ]  # fmt: skip

    async def rows(self, *_: Any) -> list[Any]:
        if self.is_away:
            raise unavailable("PostgreSQL")
        return []


def claimed(database: FakeDatabase, *wanted: tuple[str, str, bytes], clock: Any = lambda: 0.0) -> list[Any]:
    """What claims made at one time by a fresh process end in: None, or the problem."""
    claims = IdempotencyKeys(database, clock)  # type: ignore[arg-type]

    async def run() -> list[Any]:
        worker = asyncio.ensure_future(claims.run())
        actual = await asyncio.gather(*(claims.claim(*each) for each in wanted), return_exceptions=True)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        return actual

    return RUNNER.run(run())


def test_many_claims_share_a_statement() -> None:
    database = FakeDatabase()

    assert claimed(database, *(("k", str(n), b"x") for n in range(500))) == [None] * 500

    assert database.notes <= 2
    assert len(database.rows_of) == 500


def test_another_process_knows_it_too() -> None:
    database = FakeDatabase()
    claimed(database, ("k", "a", b"one"))

    same, other, stranger = claimed(database, ("k", "a", b"one"), ("k", "a", b"two"), ("other", "a", b"two"))

    assert (same, stranger) == (None, None)
    assert isinstance(other, Problem)
    assert other.status == 422


def test_of_two_at_the_same_time_the_first_holds() -> None:
    first, second = claimed(FakeDatabase(), ("k", "a", b"one"), ("k", "a", b"two"))

    assert first is None
    assert isinstance(second, Problem)


def test_while_postgresql_is_away_memory_has_to_do() -> None:
    database = FakeDatabase()
    database.is_away = True

    first, second = claimed(database, ("k", "a", b"one"), ("k", "b", b"two"))

    assert (first, second) == (None, None)


def test_a_process_remembers_what_it_noted_without_asking_again() -> None:
    database = FakeDatabase()
    claims = IdempotencyKeys(database, lambda: 0.0)  # type: ignore[arg-type]

    async def run() -> None:
        worker = asyncio.ensure_future(claims.run())
        await claims.claim("k", "a", b"one")
        await claims.claim("k", "a", b"one")
        with pytest.raises(Problem):
            await claims.claim("k", "a", b"two")
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    RUNNER.run(run())
    assert database.notes == 1


def test_trouble_that_nobody_thought_of_ends_neither_the_request_nor_the_noting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A table that is not there, a server that only reads: the next key is noted again."""
    database, clock = FakeDatabase(), [0.0]
    claims = IdempotencyKeys(database, lambda: clock[0])  # type: ignore[arg-type]

    async def run() -> None:
        worker = asyncio.ensure_future(claims.run())
        database.trouble = errors.UndefinedTable("no such table")
        await claims.claim("k", "a", b"one")
        database.trouble, clock[0] = None, 10.0
        await claims.claim("k", "b", b"one")
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    RUNNER.run(asyncio.wait_for(run(), 5))
    assert list(database.rows_of.values()) == [b"one"]
    assert "no such table" in caplog.text


def test_a_database_that_hangs_is_not_waited_for() -> None:
    database = FakeDatabase()
    claims = IdempotencyKeys(database, lambda: 0.0, timeout_seconds=0.05)  # type: ignore[arg-type]

    async def run() -> None:
        database.hangs = asyncio.Event()
        worker = asyncio.ensure_future(claims.run())
        await claims.claim("k", "a", b"one")
        await claims.claim("k", "b", b"one")
        with pytest.raises(Problem):
            await claims.claim("k", "a", b"two")
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    RUNNER.run(asyncio.wait_for(run(), 5))


def test_a_day_begins_when_the_key_was_first_used_and_not_when_a_process_heard_of_it() -> None:
    database, clock = FakeDatabase(), [0.0]
    claims = IdempotencyKeys(database, lambda: clock[0])  # type: ignore[arg-type]

    async def run() -> None:
        worker = asyncio.ensure_future(claims.run())
        database.age_seconds = 86_000.0
        await claims.claim("k", "a", b"one")
        clock[0] = 1_000.0
        database.rows_of.clear()
        database.age_seconds = 0.0
        await claims.claim("k", "a", b"two")
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    RUNNER.run(run())
