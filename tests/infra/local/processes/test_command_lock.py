"""One command at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.errors import Refused
from infra.local.processes.command_lock import held, holder_of

HOLD = """
import sys
from pathlib import Path
from infra.local.processes.command_lock import held
with held(Path(sys.argv[1]), "the stack"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_command_is_told_who_is_at_work(tmp_path: Path) -> None:
    file = tmp_path / "run" / "lock"
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Refused, match=rf"pid {holder.pid}"), held(file, "the stack"):
            pass
        holder.kill()
    # The kernel has freed it, although the holder had no chance to.
    with held(file, "the stack"):
        assert holder_of(file) == str(os.getpid())
    assert holder_of(file) is None


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with held(file, "the stack"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with held(file, "the stack"):
        pass
    child.communicate(b"\n")
