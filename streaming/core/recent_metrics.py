"""Metrics of a query over the last minutes: events a second, and the age of events when they became visible.

The stream itself keeps them, so that a page that was just opened shows the last minutes too. They are bounded: ten
minutes of counts, and a minute of histograms of ages, one a second.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEPT_SECONDS = 600
FRESH_SECONDS = 60
# Each bound 5 % above the last, so a quantile is right to 5 %; from 10 ms to 1,000 s.
BOUNDS = np.geomspace(0.01, 1_000, 237)


class RecentMetrics:
    """One query. `now` is always seconds since 1970; not thread-safe."""

    def __init__(self) -> None:
        self._read: deque[tuple[int, int]] = deque()
        self._ages: deque[tuple[int, NDArray[np.int64]]] = deque()

    def add_events(self, events: int, now: float) -> None:
        """A batch that read so many events has ended now."""
        second = int(now)
        before = self._read.pop()[1] if self._read and self._read[-1][0] == second else 0
        self._read.append((second, before + events))
        self._forget(now)

    def add_ages(self, ages: NDArray[np.float64], now: float) -> None:
        """Events that the broker took `ages` seconds ago are visible now."""
        second = int(now)
        counts = np.bincount(np.searchsorted(BOUNDS, ages), minlength=len(BOUNDS) + 1)
        if self._ages and self._ages[-1][0] == second:
            counts += self._ages.pop()[1]
        self._ages.append((second, counts))
        self._forget(now)

    def snapshot(self, now: float) -> dict[str, Any]:
        """``events``: pairs of second and events read in it, oldest first, seconds without events left out;
        ``fresh``: the ages of the last minute's events, or null where there were none."""
        self._forget(now)
        return {"events": [list(pair) for pair in self._read], "fresh": self._fresh()}

    def _fresh(self) -> dict[str, float] | None:
        counts = sum((counts for _, counts in self._ages), np.zeros(len(BOUNDS) + 1, np.int64))
        total = int(counts.sum())
        if not total:
            return None
        p50, p99 = (_bound(counts, total * share) for share in (0.50, 0.99))
        return {"event_count": total, "p50_seconds": p50, "p99_seconds": p99}

    def _forget(self, now: float) -> None:
        while self._read and self._read[0][0] <= now - KEPT_SECONDS:
            self._read.popleft()
        while self._ages and self._ages[0][0] <= now - FRESH_SECONDS:
            self._ages.popleft()


def _bound(counts: NDArray[np.int64], rank: float) -> float:
    """The smallest bound below which `rank` of the counted ages lie."""
    place = int(np.searchsorted(np.cumsum(counts), rank))
    return round(float(BOUNDS[min(place, len(BOUNDS) - 1)]), 3)
