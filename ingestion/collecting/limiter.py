"""How fast the service is asked: a bucket of tokens that all registers share, and the control of its rate.

The control is additive increase and multiplicative decrease (AIMD, Chiu and Jain 1989): the rate grows by the same
step a second, and is cut to a share of itself where the service shows that it has a limit. Two things show one: an
answer 429, and a window of answers in which many are faults. Faults that come now and then at any rate say nothing of
a limit: slower requests would meet the same share of them. The rate at which a limit was met is remembered, as CUBIC
does (RFC 9438): the rate returns near to it at once, and feels its way beyond it slowly.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from conf.token_bucket import TokenBucket

FLOOR_SHARE = 0.02
"""The lowest rate, as a share of the highest."""
SLOWEST = 0.2
"""Requests a second: the lowest rate, where the share of the highest is above it."""
CUT = 0.7
"""What is left of the rate when a limit is met."""
GROWTH_SECONDS = 60.0
"""Seconds in which the rate grows from nothing to the highest."""
NEAR_LIMIT = 0.9
"""From this share of the rate at which a limit was met on, the rate grows slowly."""
PROBING = 0.05
"""How slowly, as a share of the usual growth."""
LIMIT_SECONDS = 600.0
"""A limit that was not met again for so long is forgotten."""
WINDOW_ANSWERS, WINDOW_SECONDS = 60, 60.0
"""How many of the last answers are looked at, and how old they may be."""
FEWEST_FAULTS, FAULT_SHARE = 10, 0.3
"""Faults in the window, and their share of its answers, from which on they are taken for overload. One window in 10,000
holds so many of faults at random that are a tenth of all answers."""
BURST_SECONDS = 0.1
ONE_COMPLAINT = 1.0
"""Seconds in which the rate is cut but once: requests that were under way together complain of the same rate."""
LONGEST_STEP = 5.0
"""Seconds of growth that one good answer stands for at most."""


class Limiter:
    """`turn` returns when the next request may be made, first come first served. Rates are requests a second."""

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self.rate = self.highest = rate
        self.lowest = min(rate, SLOWEST, rate * FLOOR_SHARE)
        self._clock, self._sleep = clock, sleep
        self._bucket = TokenBucket(1.0, clock())
        self._paused_until = float("-inf")
        self._cut_at, self._grown_at = float("-inf"), clock()
        self._limit, self._cut_rate, self._cause = float("inf"), rate, ""
        self._answers: deque[tuple[float, bool]] = deque()
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        async with self._queue:
            while (wait := self._wait()) > 0:
                await self._sleep(wait)

    def good(self) -> None:
        """An answer came as it should."""
        now = self._answered(is_fault=False)
        if now - self._cut_at >= LIMIT_SECONDS:
            self._limit = float("inf")
        step = self.highest / GROWTH_SECONDS * min(now - self._grown_at, LONGEST_STEP)
        self._grown_at = now
        if self.rate >= NEAR_LIMIT * self._limit:
            step *= PROBING
        self.rate = min(self.highest, self.rate + step)

    def too_many(self, status: int = 429) -> None:
        """The service answered that a limit of its was met."""
        self._answered(is_fault=True)
        self._cut(f"the service answered {status}", is_limit=True)

    def broken(self) -> None:
        """The service answered with a fault of its own, with a body that cannot be read, or not at all."""
        self._answered(is_fault=True)
        faults = sum(is_fault for _, is_fault in self._answers)
        if faults >= FEWEST_FAULTS and faults >= FAULT_SHARE * len(self._answers):
            self._cut(f"{faults} of its last {len(self._answers)} answers were faults", is_limit=False)

    def pause(self, seconds: float) -> None:
        """Nothing is asked for so long: what Retry-After demands."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def held_by(self) -> str:
        """What keeps the rate below the highest, as the end of a sentence; empty where nothing does."""
        now = self._clock()
        if self._paused_until > now:
            cause = self._cause or "the service asked for it"
            return f"nothing is asked for {self._paused_until - now:,.0f} s: {cause}"
        if self.rate >= self.highest or not self._cause:
            return ""
        return f"{self._cause} at {self._cut_rate:,.1f} requests/s, {now - self._cut_at:,.0f} s ago"

    def _answered(self, *, is_fault: bool) -> float:
        now = self._clock()
        self._answers.append((now, is_fault))
        while self._answers[0][0] <= now - WINDOW_SECONDS or len(self._answers) > WINDOW_ANSWERS:
            self._answers.popleft()
        return now

    def _cut(self, cause: str, *, is_limit: bool) -> None:
        now = self._clock()
        if now - self._cut_at < ONE_COMPLAINT:
            return
        if is_limit:
            self._limit = self.rate
        self._cut_rate, self._cause = self.rate, cause
        self._cut_at = self._grown_at = now
        self.rate = max(self.lowest, self.rate * CUT)
        # What came before was asked for at the old rate.
        self._answers.clear()

    def _wait(self) -> float:
        """Take a turn: 0, or the seconds after which to try again."""
        now = self._clock()
        if self._paused_until > now:
            return self._paused_until - now
        return self._bucket.take(now, self.rate, max(1.0, self.rate * BURST_SECONDS))
