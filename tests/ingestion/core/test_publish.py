from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Producer

from conf import Settings
from conf.connect import producer_config
from ingestion.core.errors import BrokerLost
from ingestion.core.ledger import LedgerWriter, read_ledger
from ingestion.core.message import Message, cloud_event
from ingestion.core.publish import POLL_EVERY, Publisher, kafka
from tests.ingestion.fakes import FakeBroker


def message(number: int, **facts: object) -> Message:
    name = f"event-{number}"
    headers = cloud_event(name, "purchase", "test:x", "2026-01-31T09:30:00Z")
    return Message(name, name.encode(), b'{"n":%d}' % number, headers, **facts)  # type: ignore[arg-type]


def send_all(publisher: Publisher, count: int) -> None:
    with publisher:
        for number in range(count):
            publisher.send(message(number))


def test_a_message_carries_the_attributes_of_cloudevents_as_bytes_and_its_id_as_key() -> None:
    broker = FakeBroker()
    with Publisher(broker, "purchases") as publisher:
        publisher.send(message(1))
    (record,) = broker.stored
    assert record.key == b"event-1"
    assert record.headers[0] == ("ce_id", b"event-1")
    assert dict(record.headers) == {
        "ce_id": b"event-1",
        "ce_type": b"purchase",
        "ce_source": b"test:x",
        "ce_time": b"2026-01-31T09:30:00Z",
        "ce_specversion": b"1.0",
        "content-type": b"application/json",
    }


def test_leaving_the_publisher_waits_for_every_acknowledgement() -> None:
    broker = FakeBroker()
    with Publisher(broker, "purchases") as publisher:
        for number in range(POLL_EVERY - 1):
            publisher.send(message(number, lines=3))
        assert publisher.totals.acknowledged == 0
        assert publisher.totals.unheard == POLL_EVERY - 1
    assert publisher.totals.acknowledged == POLL_EVERY - 1
    assert publisher.totals.lines == 3 * (POLL_EVERY - 1)


def test_a_full_queue_makes_the_sender_wait_and_loses_nothing() -> None:
    broker = FakeBroker(room=10)
    with Publisher(broker, "purchases") as publisher:
        for number in range(95):
            publisher.send(message(number))
    assert [record.key for record in broker.stored] == [b"event-%d" % n for n in range(95)]


def test_a_lost_broker_stops_the_run_with_what_was_acknowledged() -> None:
    broker = FakeBroker(takes=20, room=15)
    publisher = Publisher(broker, "purchases", remedy="Start it.")
    sentences = "did not take an event of the topic purchases: Local: Message timed out. Start it."
    with pytest.raises(BrokerLost, match=sentences):
        send_all(publisher, 100)
    assert publisher.totals.acknowledged == 20
    assert publisher.totals.failed == publisher.totals.sent - 20
    assert publisher.totals.unheard == 0


def test_an_event_that_is_too_large_is_told_and_the_others_go_on() -> None:
    broker = FakeBroker(takes=1, error=KafkaError.MSG_SIZE_TOO_LARGE)
    with Publisher(broker, "purchases") as publisher:
        publisher.send(message(1))
        publisher.send(message(2))
    assert publisher.totals.failed == 1
    assert publisher.refused[0][0] == "event-2"


def test_what_is_not_acknowledged_in_time_is_an_error() -> None:
    broker = FakeBroker(is_deaf=True)
    publisher = Publisher(broker, "purchases", flush_seconds=0.0)
    with pytest.raises(BrokerLost, match="1 events were sent and not acknowledged"), publisher:
        publisher.send(message(1))
    assert publisher.totals.failed == 1


def test_the_ledger_holds_acknowledged_events_and_what_failed_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    broker = FakeBroker(takes=3, error=KafkaError.MSG_SIZE_TOO_LARGE)
    with LedgerWriter(path) as writer, Publisher(broker, "purchases", ledger=writer, clock=lambda: 17.5) as publisher:
        publisher.send(message(1, amount=Decimal("2.5500"), lines=2))
        publisher.send(message(1, amount=Decimal("2.5500"), lines=2, kind="duplicate"))
        publisher.send(message(2, kind="poison", expected_rule="lines.min_items", lines=0))
        publisher.send(message(3))
    ledger = read_ledger(path)
    assert [(e.event_id, e.partition, e.offset, e.kind, e.sent_at) for e in ledger.entries] == [
        ("event-1", 0, 0, "ok", 17.5),
        ("event-1", 0, 1, "duplicate", 17.5),
        ("event-2", 0, 2, "poison", 17.5),
        ("event-3", -1, -1, "ok", 17.5),
    ]
    assert list(ledger.accepted) == ["event-1"]
    assert ledger.poison["event-2"].expected_rule == "lines.min_items"
    assert list(ledger.uncertain) == ["event-3"]
    assert (ledger.amount, ledger.lines, ledger.copies) == (Decimal("2.55"), 2, 1)


def test_a_ledger_whose_writer_was_killed_is_read_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with LedgerWriter(path) as writer:
        writer.write(message(1), 0, 0, 1.0)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-20])
    assert len(read_ledger(path).entries) == 1
    with LedgerWriter(path) as writer:
        writer.write(message(2), 0, 1, 1.0)
    assert [e.event_id for e in read_ledger(path).entries] == ["event-1", "event-2"]


def test_a_broker_that_does_not_answer_is_named_with_the_way_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.core.publish.ANSWER_SECONDS", 0.5)
    closed = Settings(kafka_port=9)
    with pytest.raises(BrokerLost, match=r"does not answer\. Start Kafka at 127\.0\.0\.1:9 with .*\./start\.sh"):
        kafka(closed, "purchases", print)


def test_the_real_client_delivers_to_the_broker_it_carries_for_tests(tmp_path: Path) -> None:
    """librdkafka's own mock cluster: the settings, headers, a tombstone and an event above the client's limit."""
    settings = Settings()
    mock = {"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0}
    path = tmp_path / "ledger.jsonl"
    with LedgerWriter(path) as writer, Publisher(
        Producer(producer_config(settings) | mock), "purchases", ledger=writer, flush_seconds=20
    ) as publisher:  # fmt: skip
        for number in range(1_200):
            publisher.send(message(number))
        publisher.send(Message("none", b"none", None, message(1).headers, "poison", "record.tombstone"))
        publisher.send(Message("huge", b"huge", b"x" * 17_000_000, message(1).headers))
    assert (publisher.totals.sent, publisher.totals.acknowledged, publisher.totals.failed) == (1_202, 1_201, 1)
    assert publisher.refused[0][0] == "huge"
    ledger = read_ledger(path)
    assert len(ledger.accepted) == 1_200
    assert all(e.partition >= 0 and e.offset >= 0 for e in ledger.accepted.values())
    assert list(ledger.uncertain) == ["huge"]
