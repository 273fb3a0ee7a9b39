"""Runs several streaming processes as one: `SAUDA_STREAM_PROCESSES` names the domains of each.

A process that ends is started again, and the others go on. All of them end with this one.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

log = logging.getLogger("sauda.stream")
STOP_SECONDS = 25.0
MAX_WAIT_SECONDS = 15.0
Command = Callable[[int], Sequence[str]]


def command(lanes: str, number: int) -> list[str]:
    """The command of one of the processes, from 1."""
    return [sys.executable, "-m", "streaming.run", "--lanes", lanes, "--process", str(number), "--launched"]


@dataclass
class _Child:
    number: int
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    wait: float = 1.0
    next_start: float | None = None


def launch(count: int, stopping: threading.Event, command: Command, poll_seconds: float = 0.5) -> None:
    """Keep `count` processes running until `stopping` is set, then end them."""
    children = [_Child(number, subprocess.Popen(command(number))) for number in range(1, count + 1)]
    try:
        while not stopping.wait(poll_seconds):
            for child in children:
                _keep(child, command)
    finally:
        for child in children:
            child.process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for child in children:
            try:
                child.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


def _keep(child: _Child, command: Command) -> None:
    """Start a process again that has ended, after a wait that grows while it ends soon."""
    now = time.monotonic()
    if child.next_start is None and (code := child.process.poll()) is not None:
        child.wait = 1.0 if now - child.started > 60 else min(child.wait * 2, MAX_WAIT_SECONDS)
        child.next_start = now + child.wait
        log.error("process %d ended with %d; it starts again in %.0f s", child.number, code, child.wait)
    elif child.next_start is not None and now >= child.next_start:
        child.process, child.started, child.next_start = subprocess.Popen(command(child.number)), now, None
