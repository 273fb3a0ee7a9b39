"""What the end of a load says, and that it never fails a load that Kafka has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from conf import Settings
from conf.stream_progress import Unsettled
from ingestion.core import outcome
from ingestion.core.outcome import Outcome, await_outcome, counted
from ingestion.purchases.outcome import purchases_outcome


@dataclass
class Answer:
    result_rows: list[tuple[Any, ...]]


@dataclass
class FakeClickHouse:
    answers: list[list[tuple[Any, ...]]]
    requests: list[str] = field(default_factory=list)

    def query(self, query: str, parameters: dict[str, Any]) -> Answer:
        self.requests.append(query + str(parameters))
        return Answer(self.answers.pop(0))


def test_accepted_corrected_known_and_the_three_commonest_reasons() -> None:
    rules = [("a", 5, "x"), ("b", 3, "y"), ("c", 2, "z"), ("d", 1, "w")]
    client = FakeClickHouse([[(80,)], [(4,)], rules])
    actual = purchases_outcome(client, "file:shop.csv", {0: (10, 60), 1: (7, 55)}, 100)
    assert actual == Outcome(100, 80, 4, 11, 9, rules[:3])
    assert "(kafka_partition = 0 AND kafka_offset BETWEEN 10 AND 60)" in client.requests[0]
    assert "file:shop.csv:" in client.requests[0]
    assert actual.sentences("file:shop.csv") == [
        "Of 100 events: 80 accepted (4 of them in the place of an earlier one: SELECT * FROM ops.corrections), "
        "9 known before, which changes nothing, 11 in quarantine.",
        "  5 × a, as in: x", "  3 × b, as in: y", "  2 × c, as in: z",
        "  All of them: ./start.sh sql "
        "\"SELECT rule, sentence, value FROM ops.quarantine WHERE source = 'file:shop.csv'\"",
    ]  # fmt: skip


def test_a_clean_load_is_one_sentence() -> None:
    assert Outcome(2, 2, 0, 0, 0).sentences("file:a.csv") == ["Of 2 events: 2 accepted, 0 in quarantine."]


def test_offsets_of_a_topic_that_was_made_anew_are_those_that_the_lake_counts() -> None:
    progress = {
        "queries": {
            "live:purchases": {"topic": "purchases"},
            "lake:purchases": {"topic": "purchases", "ahead": {"0": 100, "2": 7}},
            "lake:shop": {"topic": "shop-changes", "ahead": {"0": 5_000}},
        }
    }

    assert counted(progress, "purchases", {0: (3, 9), 1: (4, 4)}) == {0: (103, 109), 1: (4, 4)}
    assert counted({}, "purchases", {0: (3, 9)}) == {0: (3, 9)}


def waits(monkeypatch: pytest.MonkeyPatch, settled: Callable[..., None]) -> Outcome | str:
    monkeypatch.setattr(outcome, "stream_progress", lambda _: {})
    monkeypatch.setattr(outcome, "settle", settled)
    return await_outcome(Settings(), "purchases", "file:a.csv", {}, 1, 0.0, print, purchases_outcome)


def test_a_stream_that_is_down_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_settings: Settings) -> dict[str, Any]:
        raise ConnectionRefusedError

    monkeypatch.setattr(outcome, "stream_progress", refuse)
    actual = await_outcome(Settings(), "purchases", "file:a.csv", {}, 1, 100.0, print, purchases_outcome)
    assert isinstance(actual, str)
    assert actual.startswith("The stream does not answer")
    assert "safe in Kafka" in actual


def test_the_end_of_the_waiting_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object) -> None:
        raise Unsettled("After 0 s lake:purchases lacks 7.")

    actual = waits(monkeypatch, late)
    assert isinstance(actual, str)
    assert "Stopped waiting for lake and ClickHouse. After 0 s lake:purchases lacks 7." in actual
    assert "./start.sh settle purchases" in actual


def test_a_clickhouse_that_is_away_does_not_fail_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OSError("connection refused")

    monkeypatch.setattr(outcome, "clickhouse", away)
    actual = waits(monkeypatch, lambda *_: None)
    assert isinstance(actual, str)
    assert "ClickHouse does not say what became of them (connection refused)" in actual
