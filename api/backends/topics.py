"""Records to Kafka from an event loop: whoever sends waits for the acknowledgement of just its own records."""

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

from confluent_kafka import KafkaError, KafkaException, Producer

from api.backends.protocols import Record
from api.http.problems import Problem, unavailable
from conf import Settings
from conf.connect import producer_config

LOG = logging.getLogger("sauda.api")
PART = "Kafka"
POLL_SECONDS = 0.1
PROBE_SECONDS = 2.0
MAX_WAITING = 100_000
"""Of the library itself, where nothing else is said."""


def for_requests(settings: Settings) -> dict[str, Any]:
    """For requests: who waits is told soon, and no more waits than can be answered for."""
    return producer_config(settings) | {
        "delivery.timeout.ms": int(settings.api_kafka_seconds * 1_000),
        "queue.buffering.max.messages": settings.api_queue_events,
    }


def for_outbox(settings: Settings) -> dict[str, Any]:
    """For the outbox: it waits for as long as it takes, since giving up on one record would let a later one pass it."""
    return producer_config(settings) | {"delivery.timeout.ms": 0}


class _Ticket:
    """How many records of one request are still to be heard of. Only the thread that polls counts it down."""

    __slots__ = ("_heard", "_left", "done", "error", "loop")

    def __init__(self, count: int, heard: deque[_Ticket]) -> None:
        self.loop = asyncio.get_running_loop()
        self._left, self.error, self._heard = count, None, heard
        self.done: asyncio.Future[KafkaError | None] = self.loop.create_future()

    def heard(self, error: KafkaError | None, _: object) -> None:
        self._left -= 1
        self.error = self.error or error
        if not self._left:
            self._heard.append(self)


def _end(tickets: list[_Ticket]) -> None:
    for ticket in tickets:
        # Who waited may have gone away.
        if not ticket.done.done():
            ticket.done.set_result(ticket.error)


def _full() -> Problem:
    return Problem(
        503, "busy", "Too many events wait for Kafka. Try again in a second.", headers={"Retry-After": "1"}
    )  # fmt: skip


class KafkaProducer:
    """One producer and the thread in which it calls back."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        # Its own log repeats what its errors say.
        self._config = dict(config) | {"error_cb": self._trouble, "log_level": 0}
        self._producer = Producer(self._config)
        self._most = int(self._config.get("queue.buffering.max.messages", MAX_WAITING))
        self._down = self._is_fatal = self._stopping = False
        self._heard: deque[_Ticket] = deque()
        # A thread of its own: a broker that hangs must not take those that others wait for.
        self._prober = ThreadPoolExecutor(1, "kafka-probe")
        self._poller = threading.Thread(target=self._poll, name="kafka", daemon=True)
        self._poller.start()

    def _poll(self) -> None:
        while not self._stopping:
            self._producer.poll(POLL_SECONDS)
            self._tell()
            if self._is_fatal:
                # It will never send again; what it holds is told as failed, and sent again under the same ids.
                lost, self._producer, self._is_fatal = self._producer, Producer(self._config), False
                lost.purge()
                lost.flush(1.0)
                self._tell()

    def _tell(self) -> None:
        """Wake those whose records were all heard of: a loop at a time, since each waking is a call of the system."""
        # While it is closed another thread hears too.
        heard = [self._heard.popleft() for _ in range(len(self._heard))]
        for loop in {ticket.loop for ticket in heard}:
            with suppress(RuntimeError):  # Its loop is closed, and nobody waits.
                loop.call_soon_threadsafe(_end, [ticket for ticket in heard if ticket.loop is loop])

    def _trouble(self, error: KafkaError) -> None:
        if error.fatal():
            LOG.error("Kafka's producer has to begin anew: %s", error.str())
            self._is_fatal = True
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._down = True

    @property
    def waiting(self) -> int:
        """Records that were handed over and not acknowledged yet."""
        return len(self._producer)

    async def send(self, topic: str, records: Sequence[Record]) -> None:
        """Come back when every record is acknowledged. Raises a Problem (503) where one is not: send all again then."""
        if self._down and self.waiting:
            # Those that wait find out whether it is back; nobody else need wait for that.
            raise unavailable(PART)
        if self.waiting + len(records) > self._most:
            # All or none: what was handed over already would be on its way.
            raise _full()
        ticket = _Ticket(len(records), self._heard)
        for record in records:
            try:
                self._producer.produce(
                    topic, record.value, record.key, headers=record.headers, on_delivery=ticket.heard
                )
            except BufferError:
                raise _full() from None
            except KafkaException:
                raise unavailable(PART) from None
        error = await ticket.done
        if error is not None:
            self._down = True
            raise unavailable(PART)
        self._down = False

    async def probe(self) -> None:
        ask = partial(self._producer.list_topics, timeout=PROBE_SECONDS)
        await asyncio.get_running_loop().run_in_executor(self._prober, ask)

    async def close(self, seconds: float) -> None:
        """Hand over what waits, for as long as `seconds`; what is not acknowledged then was never answered for."""
        await asyncio.to_thread(self._producer.flush, seconds)
        self._stopping = True
        self._prober.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._poller.join)
