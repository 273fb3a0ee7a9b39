"""One command at a time may change a stack; another is told who is at it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from conf.file_lock import Taken, locked
from infra.local.errors import Refused


@contextlib.contextmanager
def held(path: Path, what: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock file for the block. When another process holds it: `Refused` naming its pid, or, with
    `wait`, a line on stderr and patience. The kernel frees the lock when its holder dies, however it dies."""

    def waiting(holder: str) -> None:
        print(f"Waiting for another Sauda command that works on {what} (pid {holder})", file=sys.stderr)

    with ExitStack() as stack:
        try:
            stack.enter_context(locked(path, str(os.getpid()), waiting=waiting if wait else None))
        except Taken as other:
            raise Refused(
                f"Another Sauda command works on {what} (pid {other.holder}). "
                f"Wait until it is done, or stop it: kill {other.holder}"
            ) from None
        yield


def holder_of(path: Path) -> str | None:
    """The pid written by who holds the lock, if any."""
    with contextlib.suppress(OSError):
        return path.read_text().strip() or None
    return None
