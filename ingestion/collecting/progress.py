"""How far a collection is, and how it went: a bar on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from ingestion.collecting.limiter import Limiter
from ingestion.collecting.run_stats import RunStats
from ingestion.core.progress import PLAIN_EVERY, REFRESH_EVERY


class CollectionProgress:
    """Shows acknowledged rows of those expected, as the registers' own totals say."""

    def __init__(self, console: Console, name: str, run_stats: RunStats, limiter: Limiter) -> None:
        self._console, self._name, self._tallies, self._limiter = console, name, run_stats, limiter
        self._began = time.monotonic()
        self._due = self._began + PLAIN_EVERY
        self._bar = None
        if console.is_terminal:
            columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[more]}"))
            self._bar = Progress(
                *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True
            )  # fmt: skip
            self._task = self._bar.add_task(name, total=None, more="")
            self._due = 0.0

    def update(self) -> None:
        """May be called often: it looks at the clock first."""
        now = time.monotonic()
        if now < self._due:
            return
        rows, expected = progress(self._tallies)
        pace = f"{self._limiter.rate:.1f} requests/s allowed"
        if held_by := self._limiter.held_by():
            pace += f" ({held_by})"
        if self._bar:
            self._due = now + REFRESH_EVERY
            self._bar.update(self._task, completed=rows, total=expected or None, more=pace)
            return
        self._due = now + PLAIN_EVERY
        left = estimate(rows, expected, now - self._began)
        share = f" of {expected:,}, {100 * rows // expected} %" if expected else ""
        remaining = f"; about {left} left" if left else ""
        self._console.print(f"{self._name}: {rows:,} rows{share}; {pace}{remaining}", soft_wrap=True)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()


def progress(run_stats: RunStats) -> tuple[int, int]:
    """Rows acknowledged, and rows expected: a register that gives no total is expected to have what it gave."""
    endpoints = list(run_stats)
    return sum(t.rows for t in endpoints), sum(max(t.expected, t.rows) for t in endpoints)


def estimate(rows: int, expected: int, seconds: float) -> str:
    """The time left at the pace so far, as 1:02:03; empty where it cannot be told."""
    if not rows or expected <= rows or seconds <= 0:
        return ""
    left = round((expected - rows) * seconds / rows)
    return f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"


def summary(run_stats: RunStats) -> Table:
    """A line for each endpoint that was asked."""
    table = Table(box=None, header_style="bold")
    table.add_column("register")
    for title in ("mode", "pages", "rows", "new", "retries", "404", "bad", "seconds", "slowest"):
        table.add_column(title, justify="left" if title == "mode" else "right")
    for t in run_stats:
        counts = t.counts
        numbers = (counts.pages, t.rows, t.new, counts.retries, counts.not_found, t.quarantined)
        name = t.name if t.is_complete else f"{t.name} (incomplete)"
        table.add_row(
            name, t.mode, *(f"{n:,}" for n in numbers), f"{counts.seconds:.1f}", f"{counts.slowest:.2f}"
        )  # fmt: skip
    return table
