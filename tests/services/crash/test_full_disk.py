"""A disk that somebody fills while purchases come in: what was acknowledged is there when there is space again.

A stack of its own with nothing but Kafka and the guard, on a volume of 320 MB.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from conf import Settings, disk
from conf.connect import consumer_config, producer_config
from infra.local import deploy
from infra.local.commands import status
from infra.local.parts import trouble
from infra.local.processes.supervisor import Supervisor
from infra.local.stack import Stack
from tests.support.small_disk import command, fill, mounted, small_stack, started
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.beside]
TOPIC = "purchases"


class Sender(threading.Thread):
    """Sends as a foreign producer would, that looks at no disk; keeps what was acknowledged."""

    def __init__(self, settings: Settings, name: str) -> None:
        super().__init__(daemon=True)
        self.prefix, self.acknowledged, self._stopping = name, list[str](), threading.Event()
        self._producer = Producer(producer_config(settings) | {"delivery.timeout.ms": 3_000, "log_level": 0})

    def run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            self._send(f"{self.prefix}-{number}")
            number += 1
            self._producer.poll(0.001)
        self._producer.flush(15)

    def _send(self, event_id: str) -> None:
        def heard(error: Any, _: Any) -> None:
            if error is None:
                self.acknowledged.append(event_id)

        body = event_id.encode() + b" " + b"x" * 2_000
        try:
            self._producer.produce(TOPIC, body, event_id.encode(), on_delivery=heard)
        except BufferError:
            self._producer.poll(0.1)

    def stop(self) -> None:
        self._stopping.set()
        self.join(30)


def held(settings: Settings) -> Counter[str]:
    """The ids of all events in the topic."""
    consumer = Consumer(consumer_config(settings, "test-full-disk"))
    try:
        known = consumer.list_topics(TOPIC, timeout=20).topics[TOPIC].partitions
        partitions = [TopicPartition(TOPIC, p, 0) for p in known]
        ends = {p.partition: consumer.get_watermark_offsets(p, timeout=20)[1] for p in partitions}
        consumer.assign(partitions)
        counts: Counter[str] = Counter()
        while any(place.offset < ends[place.partition] for place in consumer.position(partitions)):
            counts.update(m.key().decode() for m in consumer.consume(5_000, timeout=1.0) if m.error() is None)
        return counts
    finally:
        consumer.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, chosen: Settings) -> Iterator[Settings]:
    with mounted(tmp_path_factory.mktemp("small") / "disk", 320) as folder:
        settings = small_stack(folder, chosen.tools, disk_low_mb=100, disk_reserve_mb=32)
        with started(settings, "kafka"):
            deploy.create_topics(settings)
            yield settings


def test_what_was_acknowledged_outlives_a_full_disk(small: Settings) -> None:
    supervisor, filler = Supervisor(small), small.home.parent / "filler"
    until("the reserve to be made", lambda: disk.allocated(disk.reserve_file(small)) >= 32 * disk.MIB, 20)
    acknowledged: list[str] = []
    for name, at_once in (("written", False), ("at-once", True)):
        sender = Sender(small, name)
        sender.start()
        until("purchases to be acknowledged", lambda s=sender: len(s.acknowledged) > 500, 60)

        fill(filler, at_once=at_once)
        until("Kafka to be stopped", lambda: supervisor.info()["kafka"]["statename"] == "STOPPED", 60)
        assert "Nothing new is taken" in disk.shortage(small)
        sender.stop()
        acknowledged += sender.acknowledged
        refused = command(small, "ingestion.core.run", "purchases.simulate", "--events", "10")
        assert refused.returncode == 1
        assert "(SAUDA_DISK_LOW_MB)" in refused.stderr

        filler.unlink()
        until("Kafka to come back by itself", lambda: trouble(small, "kafka") is None, 120)
        there = held(small)
        assert acknowledged, "nothing was acknowledged, so nothing is tested"
        assert [event for event in acknowledged if not there[event]] == []

    until("the reserve to be made again", lambda: disk.allocated(disk.reserve_file(small)) >= 32 * disk.MIB, 20)
    assert command(small, "ingestion.core.run", "purchases.simulate", "--events", "10").returncode == 0


def test_whoever_watches_is_brought_back(small: Settings) -> None:
    """The supervisor by its guard, the guard by the supervisor, and both by the next command that needs a part."""
    supervisor = Supervisor(small)

    def pid(part: str) -> int:
        entry = supervisor.info().get(part, {})
        return int(entry["pid"]) if entry.get("statename") == "RUNNING" else 0

    kafka, root = pid("kafka"), supervisor.process()
    assert root is not None
    root.kill()
    until("Kafka to run under another supervisor", lambda: pid("kafka") not in (0, kafka), 90)
    guard = pid("guard")
    psutil.Process(guard).kill()
    until("another guard", lambda: pid("guard") not in (0, guard), 60)

    again = supervisor.process()
    assert again is not None
    psutil.Process(pid("guard")).kill()
    again.kill()
    again.wait()
    states = {part.name: part.state for part in status.part_statuses(small)}
    assert states["kafka"] == "unsupervised"
    Stack(small).need("kafka")
    assert pid("kafka")
