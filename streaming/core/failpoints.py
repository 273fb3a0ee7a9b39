"""Points at which a test can kill the process: the setting `die_after` names a step, and how often it is reached."""

from __future__ import annotations

import os
import signal
from collections import Counter

from conf import settings

_times: Counter[str] = Counter()


def hit(step: str) -> None:
    """Kill this process where ``SAUDA_DIE_AFTER=step:n`` names this step; else do nothing."""
    if not settings().die_after:
        return
    _times[step] += 1
    if settings().die_after == f"{step}:{_times[step]}":
        os.kill(os.getpid(), signal.SIGKILL)
