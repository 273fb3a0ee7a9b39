"""A small table of PostgreSQL in memory: it is used by every request, and lasts a while when PostgreSQL is away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Generic, TypeVar

from api.http.problems import Problem

LOG = logging.getLogger("sauda.api")
T = TypeVar("T")
MAX_ABSENT = 10_000


class TableCache(Generic[T]):
    """Rows by key. `load` gives all, `find` those of some keys; both raise a Problem when PostgreSQL is away.

    A key that is not known is looked up at once, so that a new row is seen without delay; that it does not exist is
    remembered for `fresh_seconds`. After `stale_seconds` without PostgreSQL nothing is known any more.
    """

    def __init__(
        self, load: Callable[[], Awaitable[dict[str, T]]], find: Callable[[list[str]], Awaitable[Mapping[str, T]]], *,
        fresh_seconds: float, stale_seconds: float, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._load, self._find, self._clock = load, find, clock
        self._fresh_seconds, self._stale_seconds = fresh_seconds, stale_seconds
        self._rows: dict[str, T] = {}
        self._absent: dict[str, float] = {}
        self._loaded_at: float | None = None
        self._asking = 0
        self._meanwhile: list[tuple[str, T | None]] = []
        """What was written here while PostgreSQL was being queried: its answer may be older."""

    async def get(self, key: str) -> T | None:
        """The row, None where there is none. Raises a Problem (503) where that cannot be known."""
        await self.missing((key,))
        return self._rows.get(key)

    async def missing(self, keys: Collection[str]) -> set[str]:
        """Those of the keys that have no row. Raises a Problem (503) where that cannot be known."""
        now = self._clock()
        if self._loaded_at is None or now - self._loaded_at > self._stale_seconds:
            await self.refresh()
        unknown = [key for key in keys if key not in self._rows]
        wanted = [key for key in unknown if self._absent.get(key, 0.0) <= now]
        if wanted:
            with self._newer() as newer:
                rows = {**await self._find(wanted)}
                newer(rows)
            self._rows.update(rows)
            if len(self._absent) > MAX_ABSENT:
                self._absent.clear()
            self._absent.update({key: now + self._fresh_seconds for key in wanted if key not in rows})
        return {key for key in unknown if key not in self._rows}

    def know(self, key: str, row: T) -> None:
        """A row that was just written here."""
        self._rows[key] = row
        self._absent.pop(key, None)
        self._note(key, row)

    def forget(self, key: str) -> None:
        """A row that was just deleted here."""
        self._rows.pop(key, None)
        self._note(key, None)

    def _note(self, key: str, row: T | None) -> None:
        if self._asking:
            self._meanwhile.append((key, row))

    @contextmanager
    def _newer(self) -> Iterator[Callable[[dict[str, T]], None]]:
        """Yields a function that applies to an answer all that was written here since the query."""
        mark = len(self._meanwhile)

        def correct(rows: dict[str, T]) -> None:
            for key, row in self._meanwhile[mark:]:
                if row is None:
                    rows.pop(key, None)
                else:
                    rows[key] = row

        self._asking += 1
        try:
            yield correct
        finally:
            self._asking -= 1
            if not self._asking:
                self._meanwhile.clear()

    async def refresh(self) -> None:
        """Read all rows again. Raises a Problem (503)."""
        began = self._clock()
        with self._newer() as newer:
            rows = await self._load()
            newer(rows)
        self._rows = rows
        self._loaded_at = began

    async def run(self) -> None:
        """Refresh for ever; while PostgreSQL is away what is known stays."""
        while True:
            try:
                await self.refresh()
            except Problem:
                # /readyz says so, and the requests that need it.
                pass
            except Exception:
                LOG.exception("A table of PostgreSQL could not be read again; the old rows stay")
            await asyncio.sleep(self._fresh_seconds)
