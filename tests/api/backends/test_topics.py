"""Sending to Kafka from an event loop, with the client library's own broker of play."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError

from api.backends import topics
from api.backends.protocols import Record
from api.backends.topics import KafkaProducer
from api.http.problems import Problem
from conf import Settings
from tests.api.asking import RUNNER
from tests.support.waiting import until

RECORD = Record(b"k", b"v", [("ce_id", b"1")])


@pytest.fixture
def kafka() -> Iterator[KafkaProducer]:
    created = KafkaProducer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "linger.ms": 0})
    yield created
    RUNNER.run(created.close(5))


class FakeProducer:
    """Keeps what it gets, and calls back when the test says so."""

    def __init__(self, _: Any = None) -> None:
        self.held: list[Any] = []
        self.most = 1_000

    def produce(self, *_: Any, on_delivery: Any, **__: Any) -> None:
        if len(self.held) >= self.most:
            raise BufferError
        self.held.append(on_delivery)

    def __len__(self) -> int:
        return len(self.held)

    def poll(self, _: float) -> int:
        return 0

    def flush(self, _: float) -> int:
        return 0

    def end(self, error: Any = None) -> None:
        held, self.held = self.held, []
        for each in held:
            each(error, None)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[KafkaProducer, FakeProducer]]:
    producer = FakeProducer()
    monkeypatch.setattr(topics, "kafka_producer", lambda *_: producer)
    monkeypatch.setattr(topics, "POLL_SECONDS", 0.001)
    created = KafkaProducer({})
    yield created, producer
    RUNNER.run(created.close(0))


def test_who_sends_waits_for_the_acknowledgement(kafka: KafkaProducer) -> None:
    async def run() -> None:
        await asyncio.gather(*(kafka.send("purchases", [RECORD] * 10) for _ in range(20)))

    RUNNER.run(run())
    # librdkafka counts a record until the callback that told us of it is over.
    until("nothing to wait", lambda: kafka.waiting == 0, 10)


def test_nothing_is_answered_before_every_record_is_heard_of(played: tuple[KafkaProducer, FakeProducer]) -> None:
    kafka, producer = played

    async def run() -> None:
        sending = asyncio.ensure_future(kafka.send("purchases", [RECORD] * 3))
        await asyncio.sleep(0)
        first, *rest = producer.held
        first(None, None)
        await asyncio.sleep(0)
        assert not sending.done()
        for each in rest:
            each(None, None)
        await sending

    RUNNER.run(run())


def test_one_record_that_fails_fails_its_request(played: tuple[KafkaProducer, FakeProducer]) -> None:
    kafka, producer = played

    async def run() -> None:
        sending = asyncio.ensure_future(kafka.send("purchases", [RECORD] * 3))
        await asyncio.sleep(0)
        for each, error in zip(producer.held, (None, KafkaError(KafkaError._MSG_TIMED_OUT), None), strict=True):
            each(error, None)
        with pytest.raises(Problem, match="Kafka does not answer now"):
            await sending

    RUNNER.run(run())


def test_a_batch_for_which_there_is_no_room_is_told_at_once_and_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = FakeProducer()
    monkeypatch.setattr(topics, "kafka_producer", lambda *_: producer)
    kafka = KafkaProducer({"queue.buffering.max.messages": 5})

    async def run() -> None:
        first = asyncio.ensure_future(kafka.send("purchases", [RECORD] * 3))
        await asyncio.sleep(0)
        with pytest.raises(Problem) as answered:
            await kafka.send("purchases", [RECORD] * 3)
        assert (answered.value.status, answered.value.headers) == (503, {"Retry-After": "1"})
        assert kafka.waiting == 3
        producer.end()
        await first
        await kafka.close(0)

    RUNNER.run(run())


def test_a_full_queue_of_the_library_is_told_too(played: tuple[KafkaProducer, FakeProducer]) -> None:
    kafka, producer = played
    producer.most = 2

    async def run() -> None:
        with pytest.raises(Problem) as answered:
            await kafka.send("purchases", [RECORD] * 3)
        assert (answered.value.status, answered.value.headers) == (503, {"Retry-After": "1"})

    RUNNER.run(run())


def test_while_kafka_is_down_one_request_finds_out_and_the_others_are_told(
    played: tuple[KafkaProducer, FakeProducer],
) -> None:
    kafka, producer = played

    async def run() -> None:
        first = asyncio.ensure_future(kafka.send("purchases", [RECORD]))
        await asyncio.sleep(0)
        producer.end(KafkaError(KafkaError._MSG_TIMED_OUT))
        with pytest.raises(Problem):
            await first
        probe = asyncio.ensure_future(kafka.send("purchases", [RECORD]))
        await asyncio.sleep(0)
        with pytest.raises(Problem):
            await kafka.send("purchases", [RECORD])
        assert kafka.waiting == 1
        producer.end()
        await probe
        after = asyncio.ensure_future(kafka.send("purchases", [RECORD]))
        await asyncio.sleep(0)
        producer.end()
        await after

    RUNNER.run(run())


def test_who_went_away_is_no_trouble(played: tuple[KafkaProducer, FakeProducer]) -> None:
    kafka, producer = played

    async def run() -> None:
        sending = asyncio.ensure_future(kafka.send("purchases", [RECORD]))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        producer.end()
        await asyncio.sleep(0.01)

    RUNNER.run(run())


def test_purchases_are_acknowledged_by_all_and_told_soon(tmp_path: Path) -> None:
    settings = Settings(stack="unit", home=tmp_path, api_kafka_seconds=3, api_queue_events=5_000)
    config = topics.for_requests(settings)

    assert (config["acks"], config["enable.idempotence"]) == ("all", True)
    assert (config["delivery.timeout.ms"], config["queue.buffering.max.messages"]) == (3_000, 5_000)
    # Else a later change of a row could pass an earlier one that was given up.
    assert topics.for_outbox(settings)["delivery.timeout.ms"] == 0
