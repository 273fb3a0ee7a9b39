"""The stack as a stranger on the same machine meets it: what it may read, and what each listener tells it.

It runs last, over the folder and the parts that all the other tests have left. Airflow is asked in test_airflow.py,
where it runs.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conf import LOOPBACK, Settings
from infra.local.parts import trouble
from infra.local.processes.supervisor import Supervisor
from tests.support.anonymous_access import NOBODY, REFUSALS, exchange, listeners
from tests.support.stream import Stream
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

PARTS = ("history", "standin", "api")
"""Those that the tests before have not left running."""
HERE = [name for name in REFUSALS if name != "airflow"]


@pytest.fixture(scope="module", autouse=True)
def whole(chosen: Settings, stream: Stream) -> Iterator[None]:
    """Every part that listens."""
    stream.start()
    supervisor = Supervisor(chosen)
    for part in PARTS:
        supervisor.start(part)
    stream.wait_ready()
    for part in PARTS:
        until(f"{part} to answer", lambda part=part: trouble(chosen, part) is None, 120)
    yield
    for part in PARTS:
        supervisor.stop(part)


def test_everything_listens_on_this_machine_only(chosen: Settings) -> None:
    actual = {port: address for port, (address, _) in listeners(chosen).items()}

    assert {chosen.port(name) for name in HERE} <= actual.keys()
    assert set(actual.values()) <= {LOOPBACK, "::1"}


@pytest.mark.parametrize("name", HERE)
def test_a_stranger_is_told_nothing(chosen: Settings, name: str) -> None:
    REFUSALS[name](chosen, f"{LOOPBACK}:{chosen.port(name)}")


def test_ports_that_have_no_name_are_sparks_and_shut(chosen: Settings) -> None:
    """Java and Python of a Spark program talk on ports that the system chooses: of all others we must know the name."""
    named = {chosen.port(name) for name in REFUSALS}
    others = {port: process for port, (_, process) in listeners(chosen).items() if port not in named}
    strangers = {port: " ".join(process.cmdline()) for port, process in others.items()}
    assert not [c for c in strangers.values() if "streaming.run" not in c and "pyspark-shell" not in c]
    for port in others:
        at = f"{LOOPBACK}:{port}"
        # Of py4j, each way: call the batch of a stream; make an object of Java's.
        calls = (b"c\np0\ncall\nro1\nL0\ne\n", b"c\nz:java.lang.Runtime\ngetRuntime\ne\n")
        for words in (*calls, b"GET / HTTP/1.0\r\n\r\n"):
            answer = exchange(at, words)
            # It asks for its secret, or knows no such command.
            refusals = (b"!x", b"!zspy4j.Py4JException: Unknown command received: GET")
            assert not answer or answer.startswith(refusals) or os.geteuid() != 0, (strangers[port], answer)


def test_nobody_else_reads_what_the_stack_wrote(chosen: Settings) -> None:
    """Spark sets 0660 on its event logs itself: their folder is shut."""
    offenders = []
    for parent, folders, files in os.walk(chosen.stack_home):
        for path in (Path(parent, name) for name in (*folders, *files)):
            mode = path.lstat().st_mode
            theirs = stat.S_IMODE(mode) & 0o066
            if theirs and not stat.S_ISLNK(mode) and not path.is_relative_to(chosen.data / "spark-events"):
                offenders.append(f"{stat.S_IMODE(mode):o} {path.relative_to(chosen.stack_home)}")
    assert not offenders, offenders[:20]
    assert stat.S_IMODE((chosen.data / "spark-events").stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user for a moment")
def test_another_user_finds_nothing_to_read(chosen: Settings) -> None:
    walk = f"find '{chosen.stack_home}' -type f -readable 2>/dev/null"
    command = ["setpriv", f"--reuid={NOBODY - 1}", f"--regid={NOBODY - 1}", "--clear-groups", "/bin/bash", "-c", walk]

    assert subprocess.run(command, capture_output=True, text=True, check=False, cwd="/").stdout == ""
