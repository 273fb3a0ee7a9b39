"""One batch driver at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conf import REPOSITORY
from jobs.errors import Failed
from jobs.lease import lease

HOLD = "import sys\nfrom pathlib import Path\nfrom jobs.lease import lease\nwith lease(Path(sys.argv[1]), 'The job nightly'):\n    print('held', flush=True)\n    sys.stdin.read()\n"  # noqa: E501


def hold(file: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)],
        cwd=REPOSITORY,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_driver_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    with hold(tmp_path / "lock") as other:
        with pytest.raises(Failed, match=rf"The job nightly \(process {other.pid}\) is at work"):
            lease(tmp_path / "lock", "me").__enter__()
        other.kill()


def test_the_lease_of_a_killed_driver_is_free(tmp_path: Path) -> None:
    with hold(tmp_path / "lock") as other:
        other.kill()
        other.wait()
    with lease(tmp_path / "lock", "The job purchases"):
        assert f"(process {os.getpid()})" in (tmp_path / "lock").read_text()
    assert (tmp_path / "lock").read_text() == ""


def test_a_shorter_name_leaves_nothing_of_a_longer(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("The job with the long name (process 1)\n")
    with lease(tmp_path / "lock", "X"):
        assert (tmp_path / "lock").read_text() == f"X (process {os.getpid()})\n"
