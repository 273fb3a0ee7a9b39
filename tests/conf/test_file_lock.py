"""Files that one process holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conf import REPOSITORY
from conf.file_lock import UNNAMED, Taken, free, locked, take

HOLD = """
import sys
from pathlib import Path
from conf.file_lock import locked
with locked(Path(sys.argv[1]), "the first"):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(file: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], cwd=REPOSITORY, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_is_first_and_leaves_its_name_alone(tmp_path: Path) -> None:
    file = tmp_path / "run" / "lock"
    with hold(file) as other:
        for _ in range(2):
            with pytest.raises(Taken) as refused:
                take(file, "me")
            assert refused.value.holder == "the first"
        other.kill()


def test_kill_9_frees_it(tmp_path: Path) -> None:
    with hold(tmp_path / "lock") as other:
        other.kill()
        other.wait()
    with locked(tmp_path / "lock", "me"):
        assert (tmp_path / "lock").read_text() == "me\n"
    assert (tmp_path / "lock").read_text() == ""


def test_a_shorter_name_leaves_nothing_of_a_longer(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("somebody with a long name\n")
    free(take(tmp_path / "lock", "X"))
    held = take(tmp_path / "lock", "X")

    assert (tmp_path / "lock").read_text() == "X\n"
    free(held)


def test_who_waits_is_told_for_whom_and_comes_next(tmp_path: Path) -> None:
    messages: list[str] = []
    with hold(tmp_path / "lock") as other:

        def waiting(holder: str) -> None:
            messages.append(holder)
            os.kill(other.pid, 9)

        with locked(tmp_path / "lock", "me", waiting=waiting):
            assert messages == ["the first"]


def test_shared_holds_go_together_and_keep_out_who_wants_it_alone(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    one, other = take(file, "one", shared=True), take(file, "other", shared=True)
    with pytest.raises(Taken) as refused:
        take(file, "me")
    assert refused.value.holder == UNNAMED
    free(one)
    with pytest.raises(Taken):
        take(file, "me")
    free(other)
    alone = take(file, "me")
    with pytest.raises(Taken) as refused:
        take(file, "one", shared=True)
    assert refused.value.holder == "me"
    free(alone)
