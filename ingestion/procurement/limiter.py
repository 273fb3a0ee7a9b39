"""How fast the service is asked: a bucket of tokens that all registers share, slower when the service complains."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

SLOWEST = 0.2
"""Requests a second, whatever the service answers."""
TOO_MANY = 0.7
BROKEN = 0.85
FASTER = 1.05
FASTER_AFTER = 20
"""Good answers in a row after which the rate grows."""
BURST_SECONDS = 0.1
ONE_COMPLAINT = 1.0
"""Seconds in which the rate is cut but once: requests that were under way together complain of the same rate."""


class Limiter:
    """`turn` returns when the next request may be made, first come first served. Rates are requests a second."""

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self.rate = self.highest = rate
        self._clock, self._sleep = clock, sleep
        self._tokens, self._filled_at = 1.0, clock()
        self._paused_until = float("-inf")
        self._good = 0
        self._cut_at = float("-inf")
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        async with self._queue:
            while (wait := self._wait()) > 0:
                await self._sleep(wait)
            self._tokens -= 1

    def good(self) -> None:
        """An answer came as it should."""
        self._good += 1
        if self._good >= FASTER_AFTER:
            self._good = 0
            self.rate = min(self.highest, self.rate * FASTER)

    def too_many(self) -> None:
        """The service answered 429."""
        self._slower(TOO_MANY)

    def broken(self) -> None:
        """The service answered with a fault of its own, with a body that cannot be read, or not at all."""
        self._slower(BROKEN)

    def pause(self, seconds: float) -> None:
        """Nothing is asked for so long: what Retry-After demands."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _slower(self, factor: float) -> None:
        self._good = 0
        now = self._clock()
        if now - self._cut_at >= ONE_COMPLAINT:
            self._cut_at = now
            self.rate = max(min(SLOWEST, self.highest), self.rate * factor)

    def _wait(self) -> float:
        now = self._clock()
        room = max(1.0, self.rate * BURST_SECONDS)
        self._tokens = min(room, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        # A hair less than one token is one, or rounding would make a wait too short to pass.
        missing = 0.0 if self._tokens >= 1 - 1e-9 else (1 - self._tokens) / self.rate
        return max(missing, self._paused_until - now)
