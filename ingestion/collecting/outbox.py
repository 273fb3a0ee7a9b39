"""From pages to Kafka: a page counts as sent when each of its rows is acknowledged, and pages count in their order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaException

from ingestion.core.errors import BrokerLost
from ingestion.core.message import Message
from ingestion.core.publish import LAST_WORD_SECONDS, OF_THE_EVENT, Broker

HEARD_EVERY = 0.002
IDLE_EVERY = 0.5
Done = Callable[[], None]


class Delivery:
    """One page with all that belongs to it. `hears` is what Kafka's client calls for each of its messages."""

    __slots__ = ("_outbox", "done", "is_closed", "pending")

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.pending = 0
        self.is_closed = False
        self.done = asyncio.Event()

    def hears(self, error: Any, record: Any) -> None:
        outbox = self._outbox
        outbox.unheard -= 1
        if error is None:
            outbox.acknowledged += 1
        elif error.code() in OF_THE_EVENT:
            outbox.refused.append((_id_of(record), error.str()))
        else:
            # Its page is never done, so that the next run sends it again.
            outbox.lost = outbox.lost or error.str()
            return
        self.pending -= 1
        self.settle()

    def settle(self) -> None:
        if self.is_closed and not self.pending:
            self.done.set()


class Outbox:
    """Sends to one topic. `run` hears of deliveries and must be running while others send.

    What Kafka refuses for itself (too large for the topic) is kept in `refused` and counts as heard of, or its page
    would be sent for ever.
    """

    def __init__(self, broker: Broker, topic: str, remedy: str = "") -> None:
        self._broker, self._topic, self._remedy = broker, topic, remedy
        self.sent = self.acknowledged = self.unheard = 0
        self.lost = ""
        self.refused: list[tuple[str, str]] = []
        self._is_sending = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled. Raises BrokerLost when Kafka has given up on an event."""
        while True:
            self._hear()
            if self.unheard:
                await asyncio.sleep(HEARD_EVERY)
                continue
            # Kafka's client has word of lost brokers too, so that it is polled now and then all the same.
            self._is_sending.clear()
            # Not by wait_for, which in Python 3.11 loses a cancellation that comes together with what it waits for.
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_EVERY):
                    await self._is_sending.wait()

    async def send(self, batch: Delivery, messages: Iterable[Message]) -> int:
        """Hand messages over, waiting where the client's queue is full; how many they were."""
        self._is_sending.set()
        count = 0
        for message in messages:
            await self._produce(batch, message)
            count += 1
        return count

    async def _produce(self, batch: Delivery, message: Message) -> None:
        batch.pending += 1
        self.unheard += 1
        self.sent += 1
        while True:
            try:
                self._broker.produce(
                    self._topic, message.value, message.key, headers=message.headers, on_delivery=batch.hears
                )
                return
            except BufferError:
                self._hear()
                await asyncio.sleep(HEARD_EVERY)
            except KafkaException as problem:
                # The client refuses some events at once, such as one larger than it may send.
                batch.hears(problem.args[0], message)
                return

    def _hear(self) -> None:
        self._broker.poll(0)
        if self.lost:
            raise BrokerLost(f"Kafka did not take an event of the topic {self._topic}: {self.lost}. {self._remedy}")

    def close(self) -> None:
        """Hear of what arrives within seconds, and drop the rest."""
        self._broker.flush(LAST_WORD_SECONDS)
        self._broker.purge()
        self._broker.flush(1.0)


class PageQueue:
    """The pages of one register on their way, at most `window` of them not yet acknowledged.

    What is to be done when a page is acknowledged (its cursor saved) is done in the order of the pages.
    """

    def __init__(self, outbox: Outbox, window: int = 1) -> None:
        self._outbox, self._window = outbox, window
        self._pages: deque[tuple[Delivery, Done]] = deque()

    def batch(self) -> Delivery:
        return Delivery(self._outbox)

    def close(self, batch: Delivery, done: Done) -> None:
        """All of the page was handed over; `done` is called when it and all before it are acknowledged."""
        batch.is_closed = True
        batch.settle()
        self._pages.append((batch, done))

    async def room(self) -> None:
        """Wait until another page may be sent."""
        await self._until(self._window - 1)

    async def drained(self) -> None:
        """Wait until every page is acknowledged."""
        await self._until(0)

    def settle(self) -> None:
        """Do what is due for the pages acknowledged so far."""
        while self._pages and self._pages[0][0].done.is_set():
            self._pages.popleft()[1]()

    async def _until(self, most: int) -> None:
        self.settle()
        while len(self._pages) > most:
            await self._pages[0][0].done.wait()
            self.settle()


def _id_of(record: Any) -> str:
    if isinstance(record, Message):
        return record.event_id
    headers = record.headers() if record is not None else None
    return bytes(dict(headers or []).get("ce_id") or b"?").decode()
