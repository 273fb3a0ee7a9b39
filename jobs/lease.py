"""One batch driver at a time: two that write one Delta table on S3 can lose data."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from jobs.errors import Failed


@contextlib.contextmanager
def lease(file: Path, what: str) -> Iterator[None]:
    """Hold the lease for the block. Raises Failed, naming the holder, when another process has it.

    The kernel gives it back when its holder dies, however it dies.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = held.read().strip() or "another job"
            raise Failed(
                f"{holder} is at work, and two jobs at once could lose data. Wait until it has ended."
            ) from None
        held.truncate(0)
        held.write(f"{what} (process {os.getpid()})\n")
        held.flush()
        try:
            yield
        finally:
            held.seek(0)
            held.truncate()
