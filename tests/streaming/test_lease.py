"""One streaming process at a time: the second is refused with the first's number."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conf import REPOSITORY
from streaming import lease

# It says that it holds the lease, and holds it until its input is closed.
HOLDER = """
import sys
from pathlib import Path
from streaming import lease
try:
    held = lease.take(Path(sys.argv[1]))
except lease.Held as error:
    print(error, flush=True)
    sys.exit(3)
print("held", flush=True)
sys.stdin.read()
"""
Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts processes that take the lease of one folder."""
    started: list[subprocess.Popen[str]] = []

    def one() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLDER, str(tmp_path)]
        started.append(
            subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield one
    for process in started:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_process_is_refused_with_the_firsts_number(start: Start) -> None:
    first = start()
    assert said(first) == "held"

    second = start()
    assert said(second) == f"another streaming process (pid {first.pid}) writes these tables; stop it first"
    assert second.wait(10) == 3
    third = start()
    assert f"(pid {first.pid})" in said(third), "the refused one must not have put its own number there"


def test_kill_9_frees_the_lease(start: Start, tmp_path: Path) -> None:
    first = start()
    assert said(first) == "held"
    first.kill()
    first.wait(10)

    with lease.take(tmp_path):
        other = start()
        assert f"(pid {os.getpid()})" in said(other)


def test_a_process_that_ends_by_itself_frees_the_lease(start: Start, tmp_path: Path) -> None:
    first = start()
    assert said(first) == "held"
    first.communicate()

    lease.take(tmp_path).close()


def test_the_folder_is_made_and_a_longer_number_of_old_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "new"
    folder.mkdir(parents=True)
    (folder / "stream.lock").write_text("99999999999999")

    with lease.take(folder):
        assert (folder / "stream.lock").read_text() == str(os.getpid())
    with lease.take(tmp_path / "other"):
        assert (tmp_path / "other" / "stream.lock").exists()
