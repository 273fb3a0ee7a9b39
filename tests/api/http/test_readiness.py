"""Which parts answer: asked once a second for everybody, and told as a problem where one does not."""

from __future__ import annotations

import asyncio
import logging
import math

import pytest

from api.http.problems import unavailable
from api.http.readiness import SharedProbe
from api.shop.relay import Backlog
from tests.api.asking import RUNNER, Client, problem


class Probed:
    """A part, and how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.trouble: Exception | None = None

    async def __call__(self) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble


def test_a_part_is_asked_once_a_second_however_many_want_to_know() -> None:
    part, clock = Probed(), [0.0]
    shared = SharedProbe(part, lambda: clock[0])

    async def run() -> None:
        await asyncio.gather(*(shared() for _ in range(100)))
        await shared()
        assert part.calls == 1
        clock[0], part.trouble = 1.0, OSError("gone")
        answered = await asyncio.gather(*(shared() for _ in range(100)), return_exceptions=True)
        assert {str(each) for each in answered} == {"gone"}
        assert part.calls == 2

    RUNNER.run(run())


def test_who_goes_away_while_a_part_is_asked_leaves_the_answer_to_the_others() -> None:
    part = Probed()
    shared = SharedProbe(part)

    async def run() -> None:
        first, second = asyncio.ensure_future(shared()), asyncio.ensure_future(shared())
        await asyncio.sleep(0)
        first.cancel()
        await second
        assert part.calls == 1

    RUNNER.run(run())


def test_a_part_that_is_away_is_a_problem_that_names_it(api: Client) -> None:
    kafka, postgres = Probed(), Probed()
    api.backends.probes = {"kafka": kafka, "postgres": postgres}
    api.backends.details.clear()
    assert api.get("/readyz", None).json() == {"status": "ready", "parts": {"kafka": "ready", "postgres": "ready"}}

    kafka.trouble = OSError("gone")
    answer = api.get("/readyz", None)

    answered = problem(answer, 503)
    assert answered["detail"] == "No answer from kafka. Try again in 5 seconds."
    assert answered["parts"] == {"kafka": "away", "postgres": "ready"}
    assert answer.headers["retry-after"] == "5"


class FakeOutbox:
    """What PostgreSQL would say of the outbox."""

    is_away = False

    async def rows(self, *_: object) -> list[dict[str, float]]:
        if self.is_away:
            raise unavailable("PostgreSQL")
        return [{"row_count": 7, "oldest_seconds": 75.04}]


def test_what_waits_in_the_outbox_is_seen(api: Client, caplog: pytest.LogCaptureFixture) -> None:
    outbox, clock = FakeOutbox(), [0.0]
    backlog: Backlog = api.backends.details["outbox"].__self__  # type: ignore[attr-defined]
    backlog._postgres, backlog._clock = outbox, lambda: clock[0]  # type: ignore[assignment]
    assert api.get("/readyz", None).json()["outbox"] == {"rows": None, "oldest_seconds": None}

    with caplog.at_level(logging.WARNING, "sauda.api"):
        for clock[0] in (0.0, 10.0, 59.0, 60.0):
            RUNNER.run(backlog.look())

    assert [record.getMessage() for record in caplog.records] == [
        "The outbox is not sent: 7 changes wait for Kafka, the oldest for 75 s"
    ] * 2
    assert api.get("/readyz", None).json()["outbox"] == {"rows": 7, "oldest_seconds": 75.0}
    answered = api.get("/metrics", None).text
    assert "sauda_api_outbox_rows 7.0" in answered
    assert "sauda_api_outbox_oldest_seconds 75.04" in answered
    outbox.is_away = True
    RUNNER.run(backlog.look())
    assert math.isnan(backlog.rows)


def test_a_task_of_the_background_that_fails_begins_again(
    api: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("api.backends.backends.RETRY_SECONDS", 0.0)
    backends = api.backends
    tries, done = [0], asyncio.Event()

    async def task() -> None:
        tries[0] += 1
        if tries[0] < 3:
            raise RuntimeError("a fault of ours")
        done.set()

    async def run() -> None:
        backends.tasks = [task]
        async with backends:
            await asyncio.wait_for(done.wait(), 5)

    RUNNER.run(run())
    assert tries == [3]
    # Not the text: a log in JSON, which a test before this one may have set up, writes a fault in fields.
    assert [str(r.exc_info[1]) for r in caplog.records if r.exc_info] == ["a fault of ours"] * 2
