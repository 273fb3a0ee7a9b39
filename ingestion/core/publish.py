"""Publishing to Kafka: what is acknowledged is counted and, if asked for, written into a ledger."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

from confluent_kafka import KafkaError, KafkaException

from conf import Settings, disk
from conf.connect import kafka_producer, producer_config
from ingestion.core.errors import BrokerLost, DiskFull, IngestError
from ingestion.core.ledger import LedgerWriter
from ingestion.core.message import Headers, Message

POLL_EVERY = 500
ANSWER_SECONDS = 5.0
FLUSH_SECONDS = 130.0
"""A little longer than the client's own limit for a delivery, so that each event is heard of before we give up."""
LAST_WORD_SECONDS = 5.0
DISK_SECONDS = 0.2

# These are the event's own fault. After any other error the next event would fail just the same.
OF_THE_EVENT = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD}


class Record(Protocol):
    """What Kafka says of a delivered event."""

    def partition(self) -> int | None: ...

    def offset(self) -> int | None: ...


Delivered = Callable[[Any, Record], None]
Say = Callable[[str], None]


class Broker(Protocol):
    """What the publisher needs of `confluent_kafka.Producer`: callbacks run inside poll and flush."""

    def produce(
        self, topic: str, value: bytes | None, key: bytes, *, headers: Headers, on_delivery: Delivered
    ) -> None: ...

    def poll(self, timeout: float) -> int: ...

    def flush(self, timeout: float) -> int: ...

    def purge(self) -> None: ...


@dataclass
class Totals:
    """`sent` counts what was handed to the client, second copies and poison too; `lines` counts acknowledged lines."""

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    lines: int = 0
    duplicates: int = 0
    poison: int = 0

    @property
    def unheard(self) -> int:
        return self.sent - self.acknowledged - self.failed


class Publisher:
    """Sends messages to one topic. Use it in a `with`: leaving it waits until every message is acknowledged.

    `send` waits when the client's queue is full and raises BrokerLost when Kafka has given up on an event. One that is
    refused for itself (too large for the topic) is counted as failed and kept in `refused`, and the run goes on.
    `reached` has the first and the last offset that was acknowledged, by partition.
    `remedy` is the sentence that ends what BrokerLost says.
    """

    def __init__(
        self, broker: Broker, topic: str, *, ledger: LedgerWriter | None = None, remedy: str = "",
        flush_seconds: float = FLUSH_SECONDS, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.totals = Totals()
        self.refused: list[tuple[str, str]] = []
        self.reached: dict[int, tuple[int, int]] = {}
        self._broker, self._topic, self._ledger, self._remedy = broker, topic, ledger, remedy
        self._flush_seconds, self._clock = flush_seconds, clock
        self._lost: KafkaError | None = None
        self._collector = gc.get_threshold()

    def send(self, message: Message) -> None:
        totals = self.totals
        delivered = partial(self._delivered, message, self._clock())
        while True:
            try:
                self._broker.produce(
                    self._topic, message.value, message.key, headers=message.headers, on_delivery=delivered
                )
                break
            except BufferError:
                self.poll(0.1)
            except KafkaException as problem:
                # The client refuses some events at once, such as one larger than it may send.
                totals.sent += 1
                self._failed(message, self._clock(), problem.args[0])
                self._stop_if_lost()
                return
        totals.sent += 1
        if message.kind == "duplicate":
            totals.duplicates += 1
        elif message.kind == "poison":
            totals.poison += 1
        if not totals.sent % POLL_EVERY:
            self.poll(0)

    def poll(self, seconds: float) -> None:
        """Hear of deliveries for up to `seconds`; raises BrokerLost when there is no sense in sending more."""
        self._broker.poll(seconds)
        if self._ledger:
            self._ledger.flush()
        self._stop_if_lost()

    def finish(self, seconds: float | None = None, on_poll: Callable[[], None] = lambda: None) -> None:
        """Wait until all is acknowledged, calling `on_poll` meanwhile; raises BrokerLost when it is not in time."""
        deadline = time.monotonic() + (self._flush_seconds if seconds is None else seconds)
        while self._broker.flush(max(0.0, min(0.5, deadline - time.monotonic()))) and time.monotonic() < deadline:
            if self._ledger:
                self._ledger.flush()
            on_poll()
            self._stop_if_lost()
        if self._ledger:
            self._ledger.flush()
        self._stop_if_lost()
        if self.totals.unheard:
            raise BrokerLost(f"{self.totals.unheard:,} events were sent and not acknowledged in time. {self._remedy}")

    def abandon(self) -> None:
        """Hear of what arrives within seconds, and drop the rest: for a run that has failed or was stopped."""
        self._broker.flush(LAST_WORD_SECONDS)
        self._broker.purge()
        self._broker.flush(1.0)
        if self._ledger:
            self._ledger.flush()

    def __enter__(self) -> Self:
        # 200,000 messages may be under way, none of them in a cycle: looking through them at the usual pace costs a
        # fifth of the throughput.
        self._collector = gc.get_threshold()
        gc.set_threshold(100_000, 50, 100)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        gc.set_threshold(*self._collector)
        if isinstance(error, BrokerLost | KeyboardInterrupt):
            self.abandon()
            return
        try:
            # Also after a fault of the source: what was sent before it is to be heard of.
            self.finish()
        except BrokerLost:
            self.abandon()
            raise

    def _delivered(self, message: Message, sent_at: float, error: Any, record: Record) -> None:
        if error is not None:
            self._failed(message, sent_at, error)
            return
        self.totals.acknowledged += 1
        self.totals.lines += message.lines
        partition, offset = record.partition(), record.offset()
        if partition is not None and offset is not None:
            first, last = self.reached.get(partition, (offset, offset))
            self.reached[partition] = (min(first, offset), max(last, offset))
        if self._ledger:
            self._ledger.write(
                message, -1 if partition is None else partition, -1 if offset is None else offset, sent_at
            )

    def _failed(self, message: Message, sent_at: float, error: KafkaError) -> None:
        self.totals.failed += 1
        if error.code() in OF_THE_EVENT:
            self.refused.append((message.event_id, error.str()))
        elif self._lost is None:
            self._lost = error
        if self._ledger:
            self._ledger.write(message, -1, -1, sent_at, error.str())

    def _stop_if_lost(self) -> None:
        if self._lost is not None:
            raise BrokerLost(
                f"Kafka did not take an event of the topic {self._topic}: {self._lost.str()}. {self._remedy}"
            )


class WatchedProducer:
    """A broker whose `poll` raises DiskFull when there is too little space for more."""

    def __init__(self, broker: Broker, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._broker, self._settings, self._clock = broker, settings, clock
        self._looked_at = -DISK_SECONDS
        self.produce, self.flush, self.purge = broker.produce, broker.flush, broker.purge

    def poll(self, timeout: float) -> int:
        if self._clock() - self._looked_at >= DISK_SECONDS:
            self._looked_at = self._clock()
            need_space(self._settings)
        return self._broker.poll(timeout)


def need_space(settings: Settings) -> None:
    """Raises DiskFull where a disk of the stack has too little space for more."""
    if full := disk.shortage(settings):
        raise DiskFull(f"{full} Make space, then give the same command again.")


def kafka(settings: Settings, topic: str, say: Say) -> Broker:
    """A client of the broker in the settings. Raises BrokerLost when it does not answer or lacks the topic, DiskFull
    when there is too little space for more, then and later.

    `say` hears when the broker goes away during a run; the client then tries again by itself, for two minutes an event.
    """
    need_space(settings)
    is_reported = refused = False

    def trouble(error: KafkaError) -> None:
        nonlocal is_reported, refused
        refused = refused or error.code() == KafkaError._AUTHENTICATION
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not is_reported:
            is_reported = True
            say(f"Kafka at {settings.kafka} does not answer; trying again for two minutes.")

    producer = kafka_producer(producer_config(settings), trouble)
    try:
        metadata = producer.list_topics(timeout=ANSWER_SECONDS)
    except KafkaException as problem:
        # What the broker said to the login waits to be heard.
        producer.poll(0)
        if refused:
            raise IngestError(f"Kafka at {settings.kafka} refuses our login. {login_remedy(settings)}") from problem
        raise BrokerLost(f"Kafka does not answer. {remedy(settings)}") from problem
    if topic not in metadata.topics:
        raise IngestError(f"Kafka at {settings.kafka} has no topic {topic}; ./start.sh makes it.")
    return WatchedProducer(producer, settings)


def remedy(settings: Settings) -> str:
    """What to do about a broker that does not answer."""
    if settings.kafka_bootstrap:
        return f"See to the broker at {settings.kafka}, which SAUDA_KAFKA_BOOTSTRAP names."
    stack = "" if settings.stack == "main" else f"SAUDA_STACK={settings.stack} "
    return f"Start Kafka at {settings.kafka} with {stack}./start.sh"


def login_remedy(settings: Settings) -> str:
    """What to do about a broker that does not let us in."""
    if settings.kafka_bootstrap:
        return "See to SAUDA_KAFKA_USER, SAUDA_KAFKA_PASSWORD and SAUDA_KAFKA_SASL_MECHANISM."
    return f"It was started with other passwords than those of {settings.stack_home / 'secrets.json'}: ./start.sh"
