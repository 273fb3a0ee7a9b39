"""How a query comes back after an error, and what is said of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from conf import Settings
from streaming.core import queries
from streaming.core.progress import Progress
from streaming.core.queries import Lane, QueryRunner, sentence

LANE = Lane("lake:played", "samples", Path("nowhere"), 1, 1, lambda: "earliest", lambda *_: {}, "lake")

STACKED = """An error occurred while calling o1.awaitTermination.
: org.apache.spark.sql.streaming.StreamingQueryException: [STREAM_FAILED] Query terminated with exception: Job aborted
\tat org.apache.spark.sql.execution.streaming.StreamExecution.run(StreamExecution.scala:1)
Caused by: org.apache.spark.SparkException: Job aborted due to stage failure
\tat org.apache.spark.scheduler.DAGScheduler.abort(DAGScheduler.scala:2)
Caused by: java.net.ConnectException: Connection refused: 127.0.0.1:9000
\tat java.net.Socket.connect(Socket.java:3)
\t... 12 more
"""


@pytest.mark.parametrize(
    ("error", "output"),
    [
        (RuntimeError(STACKED), "java.net.ConnectException: Connection refused: 127.0.0.1:9000"),
        (RuntimeError("\n  first line \nsecond line"), "first line"),
        (KeyError(), "KeyError"),
        (RuntimeError("x" * 1_000), "x" * 300),
    ],
    ids=["innermost cause", "first line", "no message", "short"],
)
def test_a_sentence_is_the_innermost_cause_in_one_line(error: Exception, output: str) -> None:
    assert sentence(error) == output


class Query:
    """A streaming query that goes on for some turns and then fails, or ends."""

    def __init__(self, turns: int = 0, error: str = "", last: Any = None) -> None:
        self.turns, self.error, self.lastProgress = turns, error, last
        self.isActive = True

    def awaitTermination(self, _seconds: float) -> bool:
        if self.turns > 0:
            self.turns -= 1
            return False
        if self.error:
            raise RuntimeError(self.error)
        return True

    def stop(self) -> None:
        self.isActive, self.turns, self.error = False, 0, ""


class Waits(threading.Event):
    """Notes how long it was asked to wait, and waits not at all."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.waits = clock, list[float]()

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        self.clock.now += timeout or 0
        return self.is_set()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Played(QueryRunner):
    """The real runner; what it starts is played: a query, or an error at its start."""

    def __init__(self, *plays: Callable[[], Query]) -> None:
        super().__init__(cast("Any", None), Settings(), LANE, Progress())
        self.plays: Iterator[Callable[[], Query]] = iter(plays)
        self.states: list[str] = []

    def _start(self) -> Any:
        return next(self.plays)()

    def waits(self, clock: Clock) -> list[float]:
        """Play to the end; returns the pauses between the plays."""
        self._stopping = noted = Waits(clock)
        self.run()
        return noted.waits

    @property
    def entry(self) -> dict[str, Any]:
        return dict(self.progress.snapshot()["queries"][LANE.name])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    created = Clock()
    monkeypatch.setattr(queries.time, "monotonic", created)
    return created


def refuse() -> Query:
    raise ConnectionError("Kafka is away")


def fails() -> Query:
    return Query(error="Caused by: MinIO is away")


def test_pauses_grow_to_a_quarter_of_a_minute(clock: Clock) -> None:
    runner = Played(refuse, fails, refuse, fails, refuse, Query)

    assert runner.waits(clock) == [2, 4, 8, 15, 15]
    assert runner.entry["restarts"] == 5


def test_a_query_that_ran_well_for_a_minute_begins_with_a_short_pause_again(clock: Clock) -> None:
    def good_for(seconds: float) -> Callable[[], Query]:
        def play() -> Query:
            clock.now += seconds
            return fails()

        return play

    runner = Played(refuse, refuse, refuse, good_for(61), refuse, good_for(59), Query)

    assert runner.waits(clock) == [2, 4, 8, 1, 2, 4]


def test_while_it_waits_the_reason_shows(clock: Clock) -> None:
    seen: list[dict[str, Any]] = []

    def look() -> Query:
        seen.append(runner.entry)
        return Query()

    runner = Played(fails, look)
    runner.waits(clock)

    assert (seen[0]["state"], seen[0]["error"]) == ("waiting 2 s to start again", "MinIO is away")
    assert runner.entry["state"] == "running"


def test_lag_is_what_the_topic_holds_beyond_what_was_read(clock: Clock) -> None:
    reached, latest = {"0": 5, "1": 7}, {"0": 9, "1": 7, "2": 3}
    last = {"sources": [{"endOffset": {"samples": reached}, "latestOffset": {"samples": latest}}]}
    runner = Played(lambda: Query(turns=1, last=last))
    runner.waits(clock)

    assert (runner.entry["lag_events"], runner.entry["next_offsets"]) == (4 + 0 + 3, reached)


def test_offsets_are_read_from_text_too_and_a_query_without_a_batch_has_none(clock: Clock) -> None:
    text = {"sources": [{"endOffset": '{"samples": {"0": 5}}', "latestOffset": '{"samples": {"0": 6}}'}]}
    runner = Played(lambda: Query(turns=1, last=None), lambda: Query(turns=1, last=text))
    runner.waits(clock)
    assert runner.entry["next_offsets"] == {}

    runner.waits(clock)
    assert (runner.entry["lag_events"], runner.entry["next_offsets"]) == (1, {"0": 5})


def test_a_runner_that_is_told_to_stop_stops_its_query_and_starts_no_other() -> None:
    began = threading.Event()
    query = Query(turns=10**9)

    def play() -> Query:
        began.set()
        return query

    runner = Played(play)
    runner.start()
    assert began.wait(10)
    runner.stop()
    runner.join(10)

    assert not runner.is_alive()
    assert not query.isActive
    assert runner.entry["restarts"] == 0


def test_a_runner_that_is_told_to_stop_while_it_starts_stops_what_it_started() -> None:
    query = Query(turns=10**9)

    def play() -> Query:
        runner.stop()
        return query

    runner = Played(play)
    runner.start()
    runner.join(10)

    assert not runner.is_alive()
    assert not query.isActive


def test_a_pause_ends_when_the_runner_is_told_to_stop() -> None:
    waiting = threading.Event()

    class RecordingProgress(Progress):
        def restarted(self, query: str, error: str, wait: float) -> None:
            super().restarted(query, error, wait)
            waiting.set()

    runner = Played(refuse, refuse, refuse, refuse, refuse)
    runner.progress = RecordingProgress()
    runner.start()
    assert waiting.wait(10)
    runner.stop()
    runner.join(1.5)

    assert not runner.is_alive(), "it must not sleep its pause out"


def test_what_a_batch_came_to_is_reported_under_its_number() -> None:
    handled: list[int] = []

    def handle(_: Any, number: int) -> dict[str, int]:
        handled.append(number)
        return {"read": 5, "accepted": 3, "refused": 1, "duplicates": 1}

    runner = Played()
    runner.lane = Lane("lake:told", "samples", Path("nowhere"), 1, 1, lambda: "", handle, "lake")
    runner._batch(cast("Any", None), 7)

    reported = runner.progress.snapshot()["queries"]["lake:told"]
    assert handled == [7]
    assert [reported[n] for n in ("batch_id", "read_total", "accepted_total", "refused_total", "duplicates_total")] == [
        7, 5, 3, 1, 1,
    ]  # fmt: skip


def test_an_error_in_a_batch_is_handed_to_spark_as_one_line() -> None:
    def handle(*_: Any) -> dict[str, int]:
        raise RuntimeError(STACKED)

    runner = Played()
    runner.lane = Lane("lake:torn", "samples", Path("nowhere"), 1, 1, lambda: "", handle, "lake")

    with pytest.raises(RuntimeError) as caught:
        runner._batch(cast("Any", None), 0)

    assert str(caught.value) == "java.net.ConnectException: Connection refused: 127.0.0.1:9000"
    assert "lake:torn" not in runner.progress.snapshot()["queries"], "a batch that failed counts for nothing"
