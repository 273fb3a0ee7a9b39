"""Requests a minute for each key: a token bucket, which fills as time goes by."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from api.http.problems import Problem
from conf.token_bucket import TokenBucket

BURST_SECONDS = 10.0
"""A key that was idle may send at once as many requests as it gets in so many seconds."""


class RateLimiter:
    """The buckets of one process. A key that was not used for `BURST_SECONDS` has a full one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, key_id: str, per_minute: int) -> None:
        """Take a token. Raises a Problem (429) with Retry-After where there is none."""
        now, rate = self._clock(), per_minute / 60
        most = max(1.0, rate * BURST_SECONDS)
        wait = self._buckets.setdefault(key_id, TokenBucket(most, now)).take(now, rate, most)
        if wait:
            seconds = max(1, math.ceil(wait))
            raise Problem(
                429, "rate", f"This key allows {per_minute:,} requests a minute. Try again in {seconds} seconds.",
                headers={"Retry-After": str(seconds)},
            )  # fmt: skip
