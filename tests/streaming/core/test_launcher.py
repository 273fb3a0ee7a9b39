"""Several processes as one: each is kept running by itself, and all end together."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from streaming.core import launcher
from streaming.core.launcher import launch
from tests.support.waiting import until

# It writes its number and process id, and waits.
CHILD = """
import os, signal, sys
with open(sys.argv[1], "a") as out:
    out.write(f"{sys.argv[2]} {os.getpid()}\\n")
signal.sigwait([signal.SIGTERM])
"""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two processes are kept running; the file has number and process id of each that was started."""
    monkeypatch.setattr(launcher, "MAX_WAIT_SECONDS", 0.01)
    file, stopping = tmp_path / "started", threading.Event()

    def command(number: int) -> list[str]:
        return [sys.executable, "-c", CHILD, str(file), str(number)]

    thread = threading.Thread(target=launch, args=(2, stopping, command, 0.01))
    thread.start()
    yield file
    stopping.set()
    thread.join(30)
    assert not thread.is_alive()
    for pid in (pid for _, pid in lines(file)):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def lines(file: Path) -> list[tuple[int, int]]:
    text = file.read_text() if file.exists() else ""
    return [(int(number), int(pid)) for number, pid in (line.split() for line in text.splitlines())]


def test_one_that_ends_is_started_again_and_the_other_goes_on(started: Path) -> None:
    until("both to run", lambda: sorted(number for number, _ in lines(started)) == [1, 2], 30)
    (first,) = (pid for number, pid in lines(started) if number == 1)
    os.kill(first, signal.SIGKILL)

    until("the first to run again", lambda: [number for number, _ in lines(started)].count(1) == 2, 30)
    (second,) = (pid for number, pid in lines(started) if number == 2)
    os.kill(second, 0)
