"""PostgreSQL that is there and says nothing, or says that it cannot: told as 503, and soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg import errors
from pydantic import SecretStr

from api.backends import postgres
from api.backends.postgres import Postgres
from api.http.problems import Problem
from conf import Settings
from tests.api.asking import RUNNER

READY = (
    b"R\x00\x00\x00\x08\x00\x00\x00\x00" + b"S\x00\x00\x00\x19client_encoding\x00UTF8\x00"
    b"K\x00\x00\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x02" + b"Z\x00\x00\x00\x05I"
)
"""Lets in whoever comes, and then waits for a statement."""


def seconds_of(home: Path, answer: bytes, ask: Callable[[Postgres], Coroutine[Any, Any, Any]]) -> Any:
    """Run `ask` beside a server that says `answer` to each connection, and nothing more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(1_000)
            writer.write(answer)
            while await reader.read(1_000):
                pass
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def run() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = SecretStr(f"postgresql://x:y@127.0.0.1:{port}/x?sslmode=disable&gssencmode=disable")
        created = Postgres(Settings(stack="unit", home=home, postgres_url=url))
        await created.open()
        try:
            return await ask(created)
        finally:
            await created.close()
            server.close()

    return RUNNER.run(asyncio.wait_for(run(), 30))


@pytest.mark.parametrize("answer", [b"", READY], ids=["before it lets in", "at the first statement"])
def test_a_database_that_hangs_is_told_as_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    monkeypatch.setattr(postgres, "CHECK_SECONDS", 0.3)

    async def ask(created: Postgres) -> float:
        began = time.monotonic()
        with pytest.raises(Problem, match="PostgreSQL does not answer now"):
            await created.rows("SELECT 1")
        return time.monotonic() - began

    assert seconds_of(tmp_path, answer, ask) < 10


def test_a_database_that_hangs_at_the_statement_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection was found good, and then nothing comes."""

    async def good(_: Any) -> None:
        return None

    monkeypatch.setattr(postgres, "_check", good)
    monkeypatch.setattr(postgres, "ANSWER_SECONDS", 0.3)

    async def ask(created: Postgres) -> float:
        began = time.monotonic()
        with pytest.raises(Problem, match="PostgreSQL does not answer now"):
            await created.rows("SELECT 1")
        return time.monotonic() - began

    assert seconds_of(tmp_path, READY, ask) < 5


@pytest.mark.parametrize(("error", "is_told"), [
    (errors.ReadOnlySqlTransaction, True), (errors.TooManyConnections, True), (errors.AdminShutdown, True),
    (errors.IoError, True), (errors.UndefinedTable, False), (errors.UniqueViolation, False),
])  # fmt: skip
def test_a_database_that_cannot_now_is_told_as_away(tmp_path: Path, error: type[errors.Error], is_told: bool) -> None:
    created = Postgres(Settings(stack="unit", home=tmp_path))

    class Pool:
        @asynccontextmanager
        async def connection(self) -> AsyncIterator[Any]:
            yield None

    created._pool = Pool()  # type: ignore[assignment]

    async def run() -> None:
        async with created.connection():
            raise error("no")

    with pytest.raises(Problem if is_told else error):
        RUNNER.run(run())
