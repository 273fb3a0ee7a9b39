"""The shop's PostgreSQL, asked from an event loop."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.rows import DictRow, dict_row
from psycopg.sql import Composed
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from api.problems import unavailable
from conf import Settings

PART = "PostgreSQL"
CONNECTIONS = 8
WAIT_SECONDS = 2.0
STATEMENT_SECONDS = 10

Query = str | Composed
Values = Sequence[Any] | Mapping[str, Any] | None


def options(settings: Settings) -> dict[str, Any]:
    """What every connection has: UTC, rows as dicts, each statement its own transaction, and an end to waiting."""
    return {
        "autocommit": True, "row_factory": dict_row, "application_name": f"sauda api {settings.stack}",
        "connect_timeout": 3, "options": f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS}s",
    }  # fmt: skip


class Shop:
    """A pool of connections. It opens without PostgreSQL, and finds it again by itself."""

    def __init__(self, settings: Settings) -> None:
        # It tells of each attempt; /readyz and the requests tell enough.
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
        self._pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
            settings.postgres, open=False, min_size=1, max_size=CONNECTIONS, max_waiting=200, timeout=WAIT_SECONDS,
            reconnect_timeout=10, kwargs=options(settings),
            # After a restart of PostgreSQL nobody gets a connection that is dead.
            check=AsyncConnectionPool.check_connection,
        )  # fmt: skip

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        """A connection for the block. Raises a Problem (503) where PostgreSQL is away or too slow."""
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, TooManyRequests, InterfaceError, OperationalError):
            raise unavailable(PART) from None

    async def rows(self, query: Query, values: Values = None) -> list[dict[str, Any]]:
        """The rows that a statement gives."""
        async with self.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def probe(self) -> None:
        await self.rows("SELECT 1")
