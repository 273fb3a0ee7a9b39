"""How far a run is: a bar on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingestion.core.publish import Totals

PLAIN_EVERY = 5.0
REFRESH_EVERY = 0.2


class ProgressDisplay:
    """Shows acknowledged events of those expected. `update` may be called often: it looks at the clock first."""

    def __init__(self, console: Console, name: str, total: int) -> None:
        self._console, self._name, self._total = console, name, total
        self._bar = None
        self._due = time.monotonic() + PLAIN_EVERY
        if console.is_terminal:
            columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[more]}"))
            self._bar = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
            self._task = self._bar.add_task(name, total=total, more="")
            self._due = 0.0

    def update(self, totals: Totals) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        waiting = f"{totals.unheard:,} under way"
        if self._bar:
            self._due = now + REFRESH_EVERY
            self._bar.update(self._task, completed=totals.acknowledged, more=waiting)
            return
        self._due = now + PLAIN_EVERY
        share = min(100, 100 * totals.acknowledged // max(self._total, 1))
        self._console.print(
            f"{self._name}: {totals.acknowledged:,} of {self._total:,} events, {share} %; {waiting}", soft_wrap=True
        )

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
