"""PostgreSQL, used from an event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from psycopg import AsyncConnection, Error, InterfaceError, OperationalError
from psycopg.rows import DictRow, dict_row
from psycopg.sql import Composed
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from api.http.problems import unavailable
from conf import Settings
from conf.postgres_values import tolerate

PART = "PostgreSQL"
CONNECTIONS = 8
WAIT_SECONDS = 2.0
STATEMENT_SECONDS = 5
ANSWER_SECONDS = STATEMENT_SECONDS + 1.0
"""After so long a connection is cut. PostgreSQL itself ends a statement sooner, unless it hangs."""
CHECK_SECONDS = 1.0
UNABLE = ("25", "53", "57", "58")
"""Classes of SQLSTATE that say "not now": read only, no resources, an operator at work, a failing system."""

Query = str | Composed
Values = Sequence[Any] | Mapping[str, Any] | None


def options(settings: Settings) -> dict[str, Any]:
    """Options of every connection: UTC, rows as dicts, each statement its own transaction, and timeouts."""
    return {
        "autocommit": True, "row_factory": dict_row, "application_name": f"sauda api {settings.stack}",
        "connect_timeout": 3, "options": f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS}s",
        # A machine that is gone, or a network between, is noticed by the kernel.
        "tcp_user_timeout": int(ANSWER_SECONDS * 1_000), "keepalives_idle": 5, "keepalives_interval": 2,
        "keepalives_count": 3,
    }  # fmt: skip


@contextmanager
def cut_after(connection: AsyncConnection[Any], seconds: float | None = None) -> Iterator[None]:
    """Within the block PostgreSQL has so long to answer; then the connection is closed, and the caller gets an error.

    A server that hangs keeps its connections, and the kernel acknowledges for it. Cancelling the waiting task would not
    help: psycopg then asks the server to cancel, and waits for that.
    """

    def cut() -> None:
        with suppress(OSError, Error), socket.socket(fileno=os.dup(connection.fileno())) as other:
            other.shutdown(socket.SHUT_RDWR)

    timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS if seconds is None else seconds, cut)
    try:
        yield
    finally:
        timer.cancel()


async def _check(connection: AsyncConnection[Any]) -> None:
    with cut_after(connection, CHECK_SECONDS):
        await AsyncConnectionPool.check_connection(connection)


async def _tolerant(connection: AsyncConnection[Any]) -> None:
    tolerate(connection)


class Postgres:
    """A pool of connections. It opens without PostgreSQL, and reconnects by itself."""

    def __init__(self, settings: Settings) -> None:
        # It logs each attempt; /readyz and the requests say enough.
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
        self._pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
            settings.postgres, open=False, min_size=1, max_size=CONNECTIONS, max_waiting=200, timeout=WAIT_SECONDS,
            reconnect_timeout=10, kwargs=options(settings), configure=_tolerant,
            # After a restart of PostgreSQL no caller gets a dead connection.
            check=_check,
        )  # fmt: skip

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        """A connection for a block of a few seconds. Raises a Problem (503) when PostgreSQL is away or too slow."""
        try:
            async with self._pool.connection() as connection:
                with cut_after(connection):
                    yield connection
        except (PoolTimeout, TooManyRequests, InterfaceError, OperationalError):
            raise unavailable(PART) from None
        except Error as error:
            if (error.sqlstate or "")[:2] in UNABLE:
                raise unavailable(PART) from None
            raise

    async def rows(self, query: Query, values: Values = None) -> list[dict[str, Any]]:
        """The rows that a statement gives."""
        async with self.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def probe(self) -> None:
        await self.rows("SELECT 1")
