"""Resident memory of every process of the stack, looked at twice a second, and the greatest of each."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import psutil

from bench.report import Report, Table, verdict
from conf import Settings
from infra.local.processes import children

PERIOD = 0.5
LOOK_AGAIN = 3.0
GOAL_GIB = 6.0


class Sampler(threading.Thread):
    """Reads while it is entered. Shared pages count in each process that maps them, so the sum errs upwards."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="memory", daemon=True)
        self.settings = settings
        self.peaks: dict[str, int] = {}
        self.together = 0
        self._stopping = threading.Event()

    def run(self) -> None:
        known: list[tuple[psutil.Process, str]] = []
        looked = 0.0
        while not self._stopping.wait(PERIOD):
            if time.monotonic() - looked > LOOK_AGAIN:
                known, looked = list(_named(self.settings)), time.monotonic()
            now: dict[str, int] = {}
            for process, name in known:
                with contextlib.suppress(psutil.Error):
                    now[name] = now.get(name, 0) + process.memory_info().rss
            for name, size in now.items():
                self.peaks[name] = max(size, self.peaks.get(name, 0))
            self.together = max(self.together, sum(now.values()))

    def __enter__(self) -> Sampler:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.join()


def _named(settings: Settings) -> Iterator[tuple[psutil.Process, str]]:
    """The stack's processes: the part's name, and Java or Python where a part has both."""
    for process, part in children.marked(settings):
        with contextlib.suppress(psutil.Error):
            tongue = " (Java)" if part == "stream" and process.name() == "java" else ""
            yield process, part + tongue


def report(peaks: dict[str, int], together: int, what: str) -> Report:
    """What was seen during `what`, held against the goal."""
    gib = 2**30
    result = Report(
        "memory",
        "Memory",
        f"Greatest resident memory of each process of the stack during {what}, looked at every {PERIOD} s. Shared pages"
        " count in every process that maps them.",
    )
    rows = sorted(peaks.items(), key=lambda item: -item[1])
    total = sum(peaks.values())
    result.tables = [
        Table(
            "Greatest resident memory, MiB",
            ("process", "MiB"),
            [
                *((name, round(size / 2**20)) for name, size in rows),
                ("sum of these", round(total / 2**20)),
                ("greatest at one moment", round(together / 2**20)),
            ],
        )
    ]
    result.goals = [verdict("sum of the greatest, GiB", total / gib, GOAL_GIB, at_least=False)]
    result.figures = {"peaks_bytes": peaks, "sum_bytes": total, "together_bytes": together}
    return result
