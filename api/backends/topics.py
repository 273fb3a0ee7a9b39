"""Records to Kafka from an event loop: each caller waits for the acknowledgement of its own records only."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from api.backends.protocols import Record
from api.http.problems import Problem, unavailable
from conf import Settings
from conf.connect import kafka_producer, producer_config

LOG = logging.getLogger("sauda.api")
PART = "Kafka"
POLL_SECONDS = 0.1
PROBE_SECONDS = 2.0
MAX_WAITING = 100_000
"""The library's own limit, if none is set."""


def for_requests(settings: Settings) -> dict[str, Any]:
    """For requests: a caller gets an error soon, and the queue has a limit."""
    return producer_config(settings) | {
        "delivery.timeout.ms": int(settings.api_kafka_seconds * 1_000),
        "queue.buffering.max.messages": settings.api_queue_events,
    }


def for_outbox(settings: Settings) -> dict[str, Any]:
    """For the outbox: it waits as long as it takes, for giving up on one record would let a later one overtake it."""
    return producer_config(settings) | {"delivery.timeout.ms": 0}


class _PendingRecords:
    """The records of one request that are not acknowledged yet. Only the polling thread counts them down."""

    __slots__ = ("_finished", "_left", "done", "error", "loop")

    def __init__(self, count: int, on_delivery: deque[_PendingRecords]) -> None:
        self.loop = asyncio.get_running_loop()
        self._left, self.error, self._finished = count, None, on_delivery
        self.done: asyncio.Future[KafkaError | None] = self.loop.create_future()

    def on_delivery(self, error: KafkaError | None, _: object) -> None:
        self._left -= 1
        self.error = self.error or error
        if not self._left:
            self._finished.append(self)


def _end(tickets: list[_PendingRecords]) -> None:
    for ticket in tickets:
        # The caller may have been cancelled.
        if not ticket.done.done():
            ticket.done.set_result(ticket.error)


def _full() -> Problem:
    return Problem(
        503, "busy", "Too many events wait for Kafka. Try again in a second.", headers={"Retry-After": "1"}
    )  # fmt: skip


class KafkaProducer:
    """A producer, and the thread in which its callbacks run."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = dict(config)
        self._producer = kafka_producer(self._config, self._on_error)
        self._max_waiting = int(self._config.get("queue.buffering.max.messages", MAX_WAITING))
        self._is_down = self._is_fatal = self._stopping = False
        self._finished: deque[_PendingRecords] = deque()
        # A thread of its own: a broker that hangs must not occupy the threads of the default pool.
        self._prober = ThreadPoolExecutor(1, "kafka-probe")
        self._poller = threading.Thread(target=self._poll, name="kafka", daemon=True)
        self._poller.start()

    def _poll(self) -> None:
        while not self._stopping:
            self._producer.poll(POLL_SECONDS)
            self._wake()
            if self._is_fatal:
                # It will never send again; its records are reported as failed, and clients send them again.
                lost, self._producer = self._producer, kafka_producer(self._config, self._on_error)
                self._is_fatal = False
                lost.purge()
                lost.flush(1.0)
                self._wake()

    def _wake(self) -> None:
        """Wake the requests whose records are all acknowledged: once for each loop, as a wake-up is a system call."""
        # During the close another thread runs callbacks too.
        on_delivery = [self._finished.popleft() for _ in range(len(self._finished))]
        for loop in {ticket.loop for ticket in on_delivery}:
            with suppress(RuntimeError):  # Its loop is closed: no caller waits.
                loop.call_soon_threadsafe(_end, [ticket for ticket in on_delivery if ticket.loop is loop])

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            LOG.error("Kafka's producer failed for good and is made again: %s", error.str())
            self._is_fatal = True
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._is_down = True

    @property
    def waiting(self) -> int:
        """Records that are not acknowledged yet."""
        return len(self._producer)

    async def send(self, topic: str, records: Sequence[Record]) -> None:
        """Return when every record is acknowledged. Raises a Problem (503) when one is not: send all again then."""
        if self._is_down and self.waiting:
            # The requests that already wait will find out whether it is back; others are refused at once.
            raise unavailable(PART)
        if self.waiting + len(records) > self._max_waiting:
            # All or none: records that were handed over cannot be taken back.
            raise _full()
        ticket = _PendingRecords(len(records), self._finished)
        for record in records:
            try:
                self._producer.produce(
                    topic, record.value, record.key, headers=record.headers, on_delivery=ticket.on_delivery
                )
            except BufferError:
                raise _full() from None
            except KafkaException:
                raise unavailable(PART) from None
        error = await ticket.done
        if error is not None:
            self._is_down = True
            raise unavailable(PART)
        self._is_down = False

    async def probe(self) -> None:
        ask = partial(self._producer.list_topics, timeout=PROBE_SECONDS)
        await asyncio.get_running_loop().run_in_executor(self._prober, ask)

    async def close(self, seconds: float) -> None:
        """Send what waits, for at most `seconds`; what is not acknowledged then was never confirmed to a client."""
        await asyncio.to_thread(self._producer.flush, seconds)
        self._stopping = True
        self._prober.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._poller.join)
