"""How fast a collection goes right now, in a file that `./start.sh status` reads."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ingestion.collecting.limiter import Limiter

EVERY = 1.0
"""Seconds between two writings."""


def pace_path(state: Path) -> Path:
    """The file lies beside the state of the collection."""
    return state.with_suffix(".pace.json")


class PaceFile:
    """The file is there while the collection runs. `update` may be called often: it looks at the clock first."""

    def __init__(
        self, path: Path, collection: str, limiter: Limiter, clock: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self.path, self._collection, self._limiter, self._clock = path, collection, limiter, clock
        self._due = float("-inf")

    def update(self) -> None:
        now = self._clock()
        if now < self._due:
            return
        self._due = now + EVERY
        pace = {
            "collection": self._collection,
            "process": os.getpid(),
            "requests_per_second": round(self._limiter.rate, 2),
            "highest_requests_per_second": self._limiter.highest,
            "held_by": self._limiter.held_by(),
        }
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(pace, ensure_ascii=False), encoding="utf-8")
        fresh.replace(self.path)

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.update()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.path.unlink(missing_ok=True)
