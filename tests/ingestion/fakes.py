"""Stand-ins that tests of ingestion share."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import KafkaError

from conf import REPOSITORY
from ingestion.core.message import Headers
from ingestion.core.publish import Delivered

ONLINE_RETAIL_FILE = REPOSITORY.parent / "shared" / "data" / "online_retail.csv.gz"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


@dataclass
class Stored:
    """A record that the fake broker took; also what it hands to the callback."""

    key: bytes
    value: bytes | None
    headers: Headers
    at: int

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at

    @property
    def body(self) -> dict[str, Any]:
        return dict(orjson.loads(self.value or b"{}"))


@dataclass
class FakeBroker:
    """Acknowledges in poll and flush, as the real client does. `room` is the length of its queue.

    After `takes` records it fails every delivery with `error`.
    """

    room: int = 1_000
    takes: int = 10**9
    error: int = KafkaError._MSG_TIMED_OUT
    stored: list[Stored] = field(default_factory=list)
    queue: deque[tuple[Stored, Delivered]] = field(default_factory=deque)
    polls: list[float] = field(default_factory=list)
    is_deaf: bool = False

    def produce(self, topic: str, value: bytes | None, key: bytes, *, headers: Headers, on_delivery: Delivered) -> None:
        assert topic in ("purchases", "rates")
        if len(self.queue) >= self.room:
            raise BufferError("queue full")
        self.queue.append((Stored(key, value, headers, -1), on_delivery))

    def poll(self, timeout: float) -> int:
        self.polls.append(timeout)
        if self.is_deaf:
            return 0
        sentences = len(self.queue)
        while self.queue:
            record, on_delivery = self.queue.popleft()
            if len(self.stored) >= self.takes:
                on_delivery(KafkaError(self.error, "Local: Message timed out"), record)
                continue
            record.at = len(self.stored)
            self.stored.append(record)
            on_delivery(None, record)
        return sentences

    def flush(self, timeout: float) -> int:
        self.poll(timeout)
        return len(self.queue)

    def purge(self) -> None:
        while self.queue:
            record, on_delivery = self.queue.popleft()
            on_delivery(KafkaError(KafkaError._PURGE_QUEUE, "Local: Purged in queue"), record)


def csv(folder: Path, *rows: str, name: str = "shop.csv", header: str = HEADER) -> Path:
    """A file with these rows."""
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path
