"""A place for tests to kill the process at: the setting `die_after` names the step and its how-manieth time."""

from __future__ import annotations

import os
import signal
from collections import Counter

from conf import settings

_times: Counter[str] = Counter()


def reached(step: str) -> None:
    """Die by SIGKILL where ``SAUDA_DIE_AFTER=step:n`` says so; nothing else."""
    if not settings().die_after:
        return
    _times[step] += 1
    if settings().die_after == f"{step}:{_times[step]}":
        os.kill(os.getpid(), signal.SIGKILL)
