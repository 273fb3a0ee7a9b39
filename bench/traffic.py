"""What is sent in a measurement: many purchases into a topic at once, or at a pace fixed in advance."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.ground import TOPIC, Say, held
from conf import Settings
from conf.connect import kafka_producer, producer_config
from infra.local.errors import Failed
from ingestion.core.message import Headers
from standins.world.simulator import single_line_events

Record = tuple[bytes, bytes, Headers]

# Each breaks one rule of the contract; the key that was there stays as one that nobody reads.
BREAKS = (
    (b'"quantity":', b'"quantity":0,"was":'),
    (b'"unit_price":', b'"unit_price":-1,"was":'),
    (b'"currency_code":"', b'"currency_code":"XXX","was":"'),
    (b'"seller_id":"', b'"seller_id":"","was":"'),
)
EVERY = 100
BROKEN, COPY = 50, 99
BACK = 37


@dataclass(frozen=True)
class Mix:
    """What stands in the topic: of every hundred records one breaks a rule, and one is a second copy."""

    records: int

    @property
    def refused(self) -> int:
        return (self.records + EVERY - 1 - BROKEN) // EVERY

    @property
    def copies(self) -> int:
        return (self.records + EVERY - 1 - COPY) // EVERY

    @property
    def accepted(self) -> int:
        """Events, and lines too, as each has one."""
        return self.records - self.refused - self.copies


def records(mix: Mix) -> Iterator[Record]:
    """The records in their order; the same for every run."""
    good = single_line_events(mix.records - mix.copies)
    past: deque[Record] = deque(maxlen=BACK)
    for number in range(mix.records):
        place = number % EVERY
        if place == COPY:
            record = past[0]
        else:
            message = next(good)
            value = message.value or b""
            if place == BROKEN:
                value = value.replace(*BREAKS[number // EVERY % len(BREAKS)], 1)
            record = (message.key, value, message.headers)
        past.append(record)
        yield record


def fill(settings: Settings, mix: Mix, say: Say) -> float:
    """Put all records into the empty topic; returns the seconds. Raises `Failed` when Kafka holds another number."""
    began = time.monotonic()
    producer = kafka_producer(producer_config(settings) | {"linger.ms": 50})
    for number, (key, value, headers) in enumerate(records(mix), 1):
        while True:
            try:
                producer.produce(TOPIC, value, key, headers=headers)
                break
            except BufferError:
                producer.poll(0.05)
        if number % 500_000 == 0:
            say(f"{number:,} of {mix.records:,} records sent")
    left = producer.flush(120)
    present = held(settings)
    if left or present != mix.records:
        raise Failed(f"{mix.records:,} records were sent, {left:,} have no answer, and the topic holds {present:,}.")
    return time.monotonic() - began


@dataclass(frozen=True)
class Pace:
    """An open model: event number i is due at `start` + i / `rate`, however late the ones before it were."""

    run: str
    rate: float
    seconds: float
    start: float

    @property
    def events(self) -> int:
        return int(self.rate * self.seconds)

    def due(self, number: int) -> float:
        return self.start + number / self.rate


def paced_record(pace: Pace, number: int, tails: list[bytes]) -> Record:
    """The event's `purchased_at` is the instant at which it is due, to the microsecond: the producer's clock."""
    key = b"%b-%d" % (pace.run.encode(), number)
    moment = datetime.fromtimestamp(pace.due(number), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
    value = b'{"purchase_id":"%b","purchased_at":"%b",%b' % (key, moment, tails[number % len(tails)])
    return key, value, [("ce_id", key), ("ce_type", b"purchase"), ("ce_time", moment)]


def tails() -> list[bytes]:
    """Ends of purchases, from the seller on."""
    mark = b'"seller_id":'
    return [mark + (m.value or b"").split(mark, 1)[1] for m in single_line_events(2_000)]


class Sender:
    """Sends at a pace. What takes time, the connection and the events' ends, is made before the first event is due."""

    def __init__(self, settings: Settings) -> None:
        self.ends = tails()
        self.producer = kafka_producer(producer_config(settings))
        self.producer.list_topics(TOPIC, timeout=10)

    def send(self, pace: Pace) -> list[float]:
        """Send all events; returns by how many seconds each was handed over late."""
        late: list[float] = []
        for number in range(pace.events):
            while (early := pace.due(number) - time.time()) > 0:
                self.producer.poll(0)
                time.sleep(min(early, 0.05))
            key, value, headers = paced_record(pace, number, self.ends)
            self.producer.produce(TOPIC, value, key, headers=headers)
            late.append(time.time() - pace.due(number))
        if left := self.producer.flush(60):
            raise Failed(f"{left:,} events have no answer.")
        return late
