"""An event loop whose clock stands still while the process does.

On a busy machine a process may not run for longer than the limits that a test has set. Then the clock of an ordinary
loop has passed them all, and who was in time is found to be late.
"""

from __future__ import annotations

import asyncio
import selectors
import time

TICK = 0.005
"""Seconds: the longest wait for a socket, and so what a turn of the loop takes at most when the process may run."""


class _Impatient(selectors.DefaultSelector):
    """Comes back each tick, so that the clock can tell waiting from standing still."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(TICK if timeout is None else min(timeout, TICK))


class SteadyLoop(asyncio.SelectorEventLoop):
    """Of the time between two looks at its clock it counts two ticks at most."""

    def __init__(self) -> None:
        self._seen, self._told = time.monotonic(), 0.0
        super().__init__(_Impatient())

    def time(self) -> float:
        now = time.monotonic()
        self._told += min(now - self._seen, 2 * TICK)
        self._seen = now
        return self._told
