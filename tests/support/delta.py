"""A small Spark with Delta on the test stack's MinIO, in a corner of the lake of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from conf import Settings
from conf.spark import spark_session
from schemas.contract import Contract
from schemas.derive import live_tables
from streaming.core.domain import Domain
from streaming.core.lake import Counts, LakeLane
from tests.support.verdicts import KAFKA

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BEGAN = datetime(2026, 2, 1, 12, tzinfo=UTC)


@contextmanager
def delta_session() -> Iterator[tuple[SparkSession, Settings]]:
    """Settings whose tables lie where no stream writes, and a Spark for them."""
    chosen = Settings(warehouse_prefix=f"trial-{uuid.uuid4().hex[:8]}", spark_master="local[2]")
    spark = spark_session(chosen, "trial", memory="1g", ui_port=0)
    spark.conf.set("spark.sql.shuffle.partitions", "1")
    try:
        yield spark, chosen
    finally:
        spark.stop()


@dataclass(frozen=True)
class Sent:
    """A record as Kafka hands it over."""

    event_id: str | bytes
    value: bytes | None


def good(event_id: str | bytes, quantity: int = 1, **more: Any) -> Sent:
    """A purchase of one line at 2.50 a piece, under a number of its own."""
    number = event_id if isinstance(event_id, str) else event_id.hex()
    line = {"product_id": "p", "quantity": quantity, "unit_price": "2.50"}
    event = {
        "purchase_id": number, "purchased_at": "2026-01-31T09:30:00Z", "seller_id": "s", "currency_code": "KZT",
        "lines": [line],
    }  # fmt: skip
    return Sent(event_id, orjson.dumps(event | more))


def bad(event_id: str | bytes) -> Sent:
    return good(event_id, lines=[])


@dataclass
class Trial:
    """A lake lane with tables of its own. Batches are numbered, and records placed, as they are sent."""

    spark: SparkSession
    settings: Settings
    domain: Domain
    number: int = -1
    offset: int = 0
    batches: dict[int, DataFrame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lane = LakeLane(self.spark, self.settings, self.domain)
        for table in self.domain.tables:
            live_tables.apply_delta(self.spark, table, self.lane.path(table))

    @property
    def corrections(self) -> Contract:
        (actual,) = self.domain.corrections
        return actual

    @property
    def tables(self) -> tuple[Contract, Contract, Contract]:
        (branch,) = self.domain.branches
        return self.domain.bronze, branch.silver, self.domain.quarantine

    def batch(self, *sent: Sent) -> tuple[DataFrame, int]:
        """The next batch, as Spark would hand it over."""
        rows = []
        for record in sent:
            at = BEGAN + timedelta(milliseconds=self.offset)
            event_id = record.event_id if isinstance(record.event_id, bytes) else record.event_id.encode()
            headers = [("ce_id", event_id), ("ce_source", b"trial")]
            rows.append((self.domain.topic, self.offset % 2, self.offset, at, headers, None, record.value))
            self.offset += 1
        self.number += 1
        self.batches[self.number] = self.spark.createDataFrame(rows, KAFKA)
        return self.batches[self.number], self.number

    def write(self, *sent: Sent) -> Counts:
        return self.lane.write(*self.batch(*sent))

    def rows(self, table: Contract, ids: Sequence[str] = ()) -> list[dict[str, Any]]:
        """The table's rows, of the given events or of all, in the order of their offsets."""
        actual = self.lane.table(table).orderBy("kafka_offset")
        chosen = actual.where(actual.event_id.isin(list(ids))) if ids else actual
        return [row.asDict() for row in chosen.collect()]

    def versions(self) -> list[int]:
        """How many commits each table has seen."""
        return [
            self.spark.sql(f"DESCRIBE HISTORY delta.`{self.lane.path(t)}`").agg({"version": "max"}).collect()[0][0]
            for t in self.tables
        ]
