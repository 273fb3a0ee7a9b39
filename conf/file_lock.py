"""Locks of this machine: a file that one process holds. The kernel frees it when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

UNNAMED = "unknown"


class Taken(Exception):
    """Another process holds the file; `holder` is what it wrote there of itself."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"held by {holder}")
        self.holder = holder


def take(
    file: Path, holder: str, *, waiting: Callable[[str], None] | None = None, shared: bool = False
) -> IO[str]:  # fmt: skip
    """Hold the file, which then says `holder`, for as long as what is returned stays open.

    A `shared` hold is refused by one that is not, and the other way round; a file that is shared names no holder.
    Raises Taken where another process has it, or, with `waiting`, calls that with the holder and then waits.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    file.parent.mkdir(parents=True, exist_ok=True)
    held = os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    try:
        fcntl.flock(held, kind | fcntl.LOCK_NB)
    except OSError:
        other = held.read().strip() or UNNAMED
        if waiting is None:
            held.close()
            raise Taken(other) from None
        waiting(other)
        fcntl.flock(held, kind)
    held.seek(0)
    held.truncate()
    if not shared:
        held.write(f"{holder}\n")
        held.flush()
    return held


def free(held: IO[str]) -> None:
    """Let go of a file, in which nothing is left of us."""
    held.seek(0)
    held.truncate()
    held.close()


@contextmanager
def locked(file: Path, holder: str, *, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the file for the block; see `take`."""
    held = take(file, holder, waiting=waiting)
    try:
        yield
    finally:
        free(held)
