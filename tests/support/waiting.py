"""Wait for a condition with a deadline, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(what: str, ready: Callable[[], Any], seconds: float = 120, pause: float = 0.3) -> Any:
    """What `ready` returned when it was first true. Fails with `what` and the last answer or error at the deadline."""
    end = time.monotonic() + seconds
    while True:
        try:
            last = ready()
            if last:
                return last
        except Exception as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s for {what}; last seen: {last!r}")
        time.sleep(pause)
