"""The right to write, without a server: what is said, and what a holder does whose session ends."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from conf import Settings, lease
from conf.file_lock import locked
from conf.lease import Lease, NotOurs, _take_files, refusal, take_lease
from tests.support.waiting import until


class Server:
    """PostgreSQL, as far as a lease asks it. `answers` is what each session that is opened finds."""

    def __init__(self, *answers: str | psycopg.Error | None) -> None:
        self.answers, self.is_up, self.checks = iter(answers), True, 0

    def opened(self) -> Server:
        return self

    def take(self) -> str | None:
        actual = next(self.answers)
        if isinstance(actual, psycopg.Error):
            raise actual
        self.is_up = True
        return actual

    def check(self) -> None:
        self.checks += 1
        if not self.is_up:
            raise psycopg.OperationalError("the server closed the connection")

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.005)
    monkeypatch.setattr(lease, "PATIENCE", {"stream": 0.0, "jobs": 0.0})


def held(server: Server) -> Lease:
    return Lease(server.opened, server, lambda: None)


def test_a_session_that_ends_is_opened_again_and_nothing_is_lost() -> None:
    server = Server(psycopg.OperationalError("still starting"), None)
    with held(server) as ours:
        until("a first look", lambda: server.checks > 0, 5, pause=0.005)
        server.is_up = False
        until("the lease to be taken again", lambda: server.is_up, 5, pause=0.005)
        requests = server.checks
        until("looks to go on", lambda: server.checks > requests, 5, pause=0.005)
        ours.check()


def test_taken_by_another_meanwhile_it_is_lost_for_good() -> None:
    server = Server("The stream (process 7 on b) writes these tables.")
    with held(server) as ours:
        ours.check()
        server.is_up = False

        def lost() -> bool:
            try:
                ours.check()
            except NotOurs as refused:
                return "meanwhile the tables were taken. The stream (process 7 on b)" in str(refused)
            return False

        until("the loss to be noticed", lost, 5, pause=0.005)


@pytest.mark.parametrize(
    ("holder", "since", "begins"),
    [
        ("12@host-a/9f3c job nightly", "2026-03-01 02:00",
         "The job nightly (process 12 on host-a, since 2026-03-01 02:00 UTC) writes these tables"),
        ("12@host-a/9f3c stream", "", "The stream (process 12 on host-a) writes these tables"),
        ("psql", "", "Another process (psql) writes these tables"),
        ("", "", "Another process (unnamed) writes these tables"),
    ],
)  # fmt: skip
def test_the_refusal_names_the_first(holder: str, since: str, begins: str) -> None:
    assert refusal(holder, since).startswith(begins)


def test_on_one_stack_the_second_is_refused_before_any_server_is_asked(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path)
    with (
        locked(chosen.run / "jobs.lock", "12@host-a/9f3c job nightly"),
        pytest.raises(NotOurs, match=r"The job nightly \(process 12 on host-a\)"),
    ):
        take_lease(chosen, "jobs", "job x")


def test_on_one_stack_leases_of_a_domain_and_of_all_refuse_each_other(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, postgres_url=SecretStr("postgresql://u:hidden@127.0.0.1:1/sauda"))
    with ExitStack() as held:
        _take_files(chosen, "jobs", ["purchases"], "12@a/9f job purchases", held)
        _take_files(chosen, "jobs", ["shop"], "13@a/9f job shop", held)
        with pytest.raises(NotOurs, match=r"The job purchases \(process 12 on a\)"):
            take_lease(chosen, "jobs", "job of both", ["purchases", "rates"])
        with pytest.raises(NotOurs, match=r"The job (purchases|shop) \(process 1[23] on a\)"):
            take_lease(chosen, "jobs", "job of all")
        # Refused for the first, it holds no other.
        _take_files(chosen, "jobs", ["rates"], "14@a/9f job rates", held)
    with ExitStack() as held:
        _take_files(chosen, "jobs", [], "15@a/9f job of all", held)
        with pytest.raises(NotOurs, match=r"The job of all \(process 15 on a\)"):
            take_lease(chosen, "jobs", "job shop", ["shop"])


def test_without_postgresql_nobody_writes_and_the_lock_file_is_free_again(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, postgres_url=SecretStr("postgresql://u:hidden@127.0.0.1:1/sauda"))
    for _ in range(2):
        with pytest.raises(
            NotOurs, match=r"PostgreSQL at 127\.0\.0\.1:1 does not answer, so it cannot be known"
        ) as refused:
            take_lease(chosen, "stream", "stream")
        assert "hidden" not in str(refused.value)
