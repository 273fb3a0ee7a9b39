"""One command at a time may change a stack; another is told who is at it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.local.errors import Refused


@contextlib.contextmanager
def held(path: Path, what: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock file for the block. When another process holds it: `Refused` naming its pid, or, with
    `wait`, a line on stderr and patience. The kernel frees the lock when its holder dies, however it dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = holder_of(path) or "unknown"
            if not wait:
                raise Refused(
                    f"Another Sauda command works on {what} (pid {holder}). "
                    f"Wait until it is done, or stop it: kill {holder}"
                ) from None
            print(f"Waiting for another Sauda command that works on {what} (pid {holder})", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()


def holder_of(path: Path) -> str | None:
    """The pid written by who holds the lock, if any."""
    with contextlib.suppress(OSError):
        return path.read_text().strip() or None
    return None
