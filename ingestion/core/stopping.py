"""SIGTERM, from a scheduler or a supervisor, ends a run as Ctrl-C does, with all that is due at its end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = 130
"""The exit code of a run that Ctrl-C or SIGTERM ended."""
STOPPED_BY_SIGNAL = "Stopped by Ctrl-C or SIGTERM."


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Inside, the first SIGTERM counts as Ctrl-C; further ones are not heard, for the run is ending already."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL, None):
        # A shell starts what runs beside it with Ctrl-C ignored.
        raise KeyboardInterrupt
    # By way of its own handler, which asyncio takes over while a loop runs.
    signal.raise_signal(signal.SIGINT)
