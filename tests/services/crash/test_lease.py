"""One writer of a warehouse, wherever it runs: real processes with homes of their own, one bucket, one PostgreSQL."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg.sql import SQL, Identifier

from conf import REPOSITORY, Settings
from conf.connect import postgres, s3
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

# It says how the lease stands: once taken, and then for each line of its input.
HOLDER = """
import sys
from conf import settings
from conf.lease import NotOurs, take_lease
try:
    with take_lease(settings(), sys.argv[1], sys.argv[2]) as held:
        print("held", flush=True)
        for _ in sys.stdin:
            held.check()
            print("held", flush=True)
except NotOurs as refused:
    print(refused, flush=True)
    sys.exit(3)
"""
Hold = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def place(chosen: Settings, tmp_path: Path) -> Iterator[Callable[[str], dict[str, str]]]:
    """The environments of homes that share the stack's bucket and database, and a warehouse of this test's own."""
    prefix = f"lease{secrets.token_hex(3)}"

    def home(name: str) -> dict[str, str]:
        return os.environ | {
            "SAUDA_HOME": str(tmp_path / name), "SAUDA_WAREHOUSE_PREFIX": prefix, "SAUDA_S3_ENDPOINT": chosen.s3,
            "SAUDA_S3_ACCESS_KEY": chosen.s3_key, "SAUDA_S3_SECRET_KEY": chosen.s3_secret,
            "SAUDA_CLICKHOUSE_PASSWORD": chosen.clickhouse_secret, "SAUDA_POSTGRES_URL": chosen.postgres,
        }  # fmt: skip

    yield home
    store = s3(chosen)
    for actual in store.list_objects(chosen.bucket, f"{prefix}/", recursive=True):
        store.remove_object(chosen.bucket, str(actual.object_name))


@pytest.fixture
def hold(place: Callable[[str], dict[str, str]]) -> Iterator[Hold]:
    """Starts a process that takes the lease from a home."""
    started: list[subprocess.Popen[str]] = []

    def start(home: str, kind: str = "jobs", doing: str = "job nightly", **more: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", HOLDER, kind, doing], cwd=REPOSITORY, env=place(home) | more, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
        )  # fmt: skip
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def output(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def stands(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return output(process)


def sessions(chosen: Settings, process: subprocess.Popen[str]) -> list[int]:
    with postgres(chosen, autocommit=True) as connection:
        actual = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s", (f"{process.pid}@%",)
        )
        return [pid for (pid,) in actual.fetchall()]


def end_session(chosen: Settings, process: subprocess.Popen[str]) -> int:
    (pid,) = sessions(chosen, process)
    with postgres(chosen, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    return pid


def test_a_driver_of_another_checkout_is_refused_with_the_firsts_name_until_that_is_killed(
    hold: Hold, place: Callable[[str], dict[str, str]]
) -> None:
    first = hold("a")
    assert output(first) == "held"
    for words in (["jobs.commands.run", "nightly"], ["jobs.commands.reconcile"]):
        refused = subprocess.run(
            [sys.executable, "-m", *words], cwd=REPOSITORY, env=place("b"), capture_output=True, text=True, check=False
        )
        assert refused.returncode == 1
        assert f"The job nightly (process {first.pid} on " in refused.stderr
        assert "writes these tables, and two at once could lose data." in refused.stderr
        assert "Traceback" not in refused.stderr

    first.kill()
    first.wait()
    assert output(hold("b")) == "held"


def test_a_stream_and_a_drop_meet_each_other_and_no_job(hold: Hold) -> None:
    stream = hold("a", "stream", "stream")
    assert output(stream) == "held"

    assert output(hold("b", "jobs")) == "held"
    second = hold("c", "stream", "drop of old")
    assert f"The stream (process {stream.pid} on " in output(second)
    assert second.wait(20) == 3


def test_a_session_that_breaks_off_is_taken_up_again(hold: Hold, chosen: Settings) -> None:
    first = hold("a")
    assert output(first) == "held"
    old = end_session(chosen, first)
    until("a new session", lambda: sessions(chosen, first) not in ([], [old]), 30)

    assert stands(first) == "held"
    assert f"(process {first.pid} on " in output(hold("b"))


def test_who_finds_it_in_other_hands_afterwards_writes_no_more(hold: Hold, chosen: Settings) -> None:
    first = hold("a")
    assert output(first) == "held"
    first.send_signal(signal.SIGSTOP)
    end_session(chosen, first)
    second = hold("b", doing="job of b")
    assert output(second) == "held"
    first.send_signal(signal.SIGCONT)

    until("the first to end", lambda: stands(first) != "held" or first.poll() is not None, 30)
    assert first.wait(20) == 3
    assert stands(second) == "held"


def test_writers_that_would_meet_in_different_databases_are_refused(hold: Hold, chosen: Settings) -> None:
    assert output(hold("a")) == "held"
    name = f"lease_{secrets.token_hex(3)}"
    with postgres(chosen, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            other = hold("b", SAUDA_POSTGRES_URL=f"{chosen.postgres.rpartition('/')[0]}/{name}")
            reported = output(other)
            assert other.wait(20) == 3
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
    assert "meet in the database 127.0.0.1:" in reported
    assert f"/{name}): nobody would see who else writes. Set SAUDA_POSTGRES_URL" in reported


def test_of_two_that_come_first_together_one_is_refused(hold: Hold) -> None:
    both = [hold("a"), hold("b")]
    reported = sorted(output(process) == "held" for process in both)

    assert reported == [False, True]
