"""What asking each endpoint took and brought, as it is shown and written down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingestion.collecting.client import RequestCounts


@dataclass
class EndpointStats:
    """One endpoint in one run. `expected` are the rows that its walk is to bring, 0 where nobody knows.

    `new` are rows above the newest one known, or with bytes other than before where these are remembered.
    """

    name: str
    mode: str = ""
    counts: RequestCounts = field(default_factory=RequestCounts)
    expected: int = 0
    rows: int = 0
    new: int = 0
    quarantined: int = 0
    failed: int = 0
    is_complete: bool = True
    messages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.time)
    finished: float = 0.0

    def fail(self, message: str) -> None:
        """It is not complete, and why."""
        self.is_complete = False
        self.failed += 1
        if message not in self.messages:
            self.messages.append(message)

    def warn(self, message: str) -> None:
        """Something that is to be known, and is no failure."""
        if message not in self.warnings:
            self.warnings.append(message)

    @property
    def message(self) -> str:
        return " ".join([*self.messages, *self.warnings])


@dataclass
class RunStats:
    """The tallies of a run by their endpoints' names, in the order in which they were first asked."""

    by_name: dict[str, EndpointStats] = field(default_factory=dict)

    def of(self, name: str, mode: str = "") -> EndpointStats:
        stats = self.by_name.setdefault(name, EndpointStats(name, mode))
        stats.mode = mode or stats.mode
        return stats

    def __iter__(self) -> Iterator[EndpointStats]:
        return iter(self.by_name.values())

    @property
    def is_complete(self) -> bool:
        return all(stats.is_complete for stats in self.by_name.values())
