"""A part that does not answer yet: is it at work?"""

from __future__ import annotations

import os
import subprocess
import sys

from infra.local.processes.activity import Work, demanded_seconds


class Part:
    seconds, length = 0.0, 0

    def __call__(self) -> tuple[float, int]:
        return self.seconds, self.length


def test_what_computes_or_writes_is_at_work() -> None:
    part = Part()
    work = Work(part, 0.0)
    for second in range(1, 300):
        part.seconds += 0.06
        assert work.idle_seconds(float(second)) < 20

    part.length += 1
    assert work.idle_seconds(300.0) == 0


def test_what_does_next_to_nothing_is_idle() -> None:
    part = Part()
    work = Work(part, 0.0)
    for second in range(1, 100):
        part.seconds += 0.01
        idle = work.idle_seconds(float(second))
    assert idle == 99


def test_a_part_that_was_started_again_is_at_work() -> None:
    part = Part()
    part.seconds = 50.0
    work = Work(part, 0.0)
    part.seconds = 0.1

    assert work.idle_seconds(90.0) == 0


def test_a_process_is_measured_with_its_children_and_one_that_is_gone_by_nothing() -> None:
    burn = "import time, sys\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\nprint('x')\n"
    code = (
        f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {burn!r} + 'sys.stdin.read()'], "
        "stdin=subprocess.PIPE, stdout=subprocess.PIPE); print(p.stdout.readline()); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        parent.stdout.readline()
        assert demanded_seconds(parent.pid) >= 0.15
        parent.kill()
    assert demanded_seconds(parent.pid) == 0
    assert demanded_seconds(None) == 0
    assert demanded_seconds(os.getpid()) > 0
