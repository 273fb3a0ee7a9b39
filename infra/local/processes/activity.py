"""Whether a part that does not answer yet is at work: it computes, waits for a processor, or writes to its log.

Starting takes as long as it takes on a busy machine; what does nothing will not come up by waiting.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import psutil

WINDOW_SECONDS = 10.0
BUSY_SHARE = 0.05
"""Of one core, what a part at work computes or waits for. An idle Java uses less."""
Measure = Callable[[], tuple[float, int]]
"""Seconds that the part's processes have computed or wanted to, and the length of its log."""


def demanded_seconds(pid: int | None) -> float:
    """Processor time of a process and its descendants, with the time in which they waited for a processor."""
    if not pid:
        return 0.0
    total = 0.0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            total += _of_process(process.pid)
    return total


def _of_process(pid: int) -> float:
    nanoseconds = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError, ValueError):
                run, waited = (task / "schedstat").read_text().split()[:2]
                nanoseconds += int(run) + int(waited)
    except OSError:
        return 0.0
    if nanoseconds:
        return nanoseconds / 1e9
    # A kernel without these statistics.
    with contextlib.suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0


class Work:
    """Looks at a part now and then. `idle_seconds` is since when it has done nothing worth the name."""

    def __init__(self, measure: Measure, now: float) -> None:
        self._measure = measure
        self._at, self._busy_at = now, now
        self._seconds, self._length = measure()

    def idle_seconds(self, now: float) -> float:
        """0 while it is at work."""
        seconds, length = self._measure()
        elapsed = now - self._at
        # Less than before: it has been started again.
        is_busy = length != self._length or seconds < self._seconds
        is_busy = is_busy or seconds - self._seconds >= BUSY_SHARE * WINDOW_SECONDS
        if is_busy:
            self._busy_at = now
        if is_busy or elapsed >= WINDOW_SECONDS:
            self._at, self._seconds, self._length = now, seconds, length
        return now - self._busy_at
