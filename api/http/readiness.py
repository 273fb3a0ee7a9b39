"""Probes of backends: each runs at most once a second, for all requests together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

Probe = Callable[[], Awaitable[None]]
FRESH_SECONDS = 1.0
PROBE_SECONDS = 3.0


class SharedProbe:
    """A probe with one answer for all callers within a second; it raises what the probe raised."""

    def __init__(self, probe: Probe, clock: Callable[[], float] = time.monotonic) -> None:
        self.probe, self._clock = probe, clock
        self._asked: asyncio.Task[Exception | None] | None = None
        self._asked_at = 0.0

    async def __call__(self) -> None:
        if self._asked is None or (self._asked.done() and self._clock() - self._asked_at >= FRESH_SECONDS):
            self._asked_at = self._clock()
            self._asked = asyncio.ensure_future(self._ask())
        # One caller may be cancelled; the others still wait for the answer.
        trouble = await asyncio.shield(self._asked)
        if trouble is not None:
            raise trouble

    async def _ask(self) -> Exception | None:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self.probe()
        except Exception as error:
            return error
        return None
