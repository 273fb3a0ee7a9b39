"""The live lane: a micro-batch goes straight into ClickHouse, in one Spark job and one insert a table.

Exactly once: an insert carries the token ``live:domain:checkpoint:batch``, and a batch that is done again has the same
rows, so ClickHouse drops it; what falls outside its window of tokens is collapsed by key (ReplacingMergeTree), as are
copies of an event. Nothing is written to Delta here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from conf import Settings
from conf.connect import clickhouse
from schemas.contract import Contract, find
from streaming import faults, parse
from streaming.registry import Domain

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RAW_BACK = "CASE WHEN line IS NULL THEN {0} END AS raw_{0}"


# A replay of many years touches more months at once than ClickHouse allows by default.
INSERT = {"async_insert": 0, "max_partitions_per_insert_block": 0}


@dataclass(frozen=True)
class LiveCounts:
    """What became of one batch's records: lines inserted, events taken and refused.

    `ages` has, for each event taken, the seconds from the broker's time to its being readable.
    """

    accepted: int
    lines: int
    refused: int
    ages: NDArray[np.float64] = field(repr=False, compare=False)


class LiveLane:
    """Inserts one domain's micro-batches. The batch is bounded, so it may pass through the driver."""

    def __init__(self, spark: SparkSession, settings: Settings, domain: Domain) -> None:
        self.spark, self.domain = spark, domain
        (self.branch,) = domain.branches
        self.client = clickhouse(settings)
        self.quarantine = find("ops.quarantine")
        self.columns = [str(c) for c in self.branch.silver.serving_columns]

    def shape(self, kafka: DataFrame) -> DataFrame:
        """The lines of the accepted events, and of a refused one what is needed to say why.

        Part of the query itself: made for each batch anew, it took longer than the batch.
        """
        every = self.branch.clean(self.branch.exploded(parse.records(kafka)))
        back = ("headers", "value")
        return every.selectExpr(
            *self.columns, "line IS NOT NULL AS is_accepted", "event_hash AS raw_hash", "kafka_topic AS raw_topic",
            *(RAW_BACK.format(c) for c in back),
        )  # fmt: skip

    def write(self, shaped: DataFrame, query_id: str, batch_id: int) -> LiveCounts:
        """Insert batch `batch_id` of the checkpoint `query_id`. Doing it again changes nothing."""
        token = f"live:{self.domain.name}:{query_id}:{batch_id}"
        rows = shaped.toArrow()
        good = rows.filter(rows["is_accepted"]) if rows.num_rows else rows
        bad = rows.filter(pc.invert(rows["is_accepted"]))
        if good.num_rows:
            self._insert(self.branch.silver, good.select(self.columns), token)
        ages = ages_of(good)
        if bad.num_rows:
            self._insert(self.quarantine, self._refused(bad), token)
        return LiveCounts(len(ages), good.num_rows, bad.num_rows, ages)

    def _refused(self, bad: pa.Table) -> pa.Table:
        """Why each record was refused. Being local rows, they are judged in the driver, without a Spark job."""
        names = {"raw_topic": "kafka_topic", "raw_hash": "event_hash", "raw_headers": "headers", "raw_value": "value"}
        wanted = ["kafka_partition", "kafka_offset", "ingested_at", "event_id", *names]
        local = self.spark.createDataFrame(bad.select(wanted).rename_columns([names.get(c, c) for c in wanted]))
        return self.branch.refused(local).select(*map(str, self.quarantine.serving_columns)).toArrow()

    def _insert(self, table: Contract, rows: pa.Table, token: str) -> None:
        self.client.insert_arrow(table.name, rows, settings=INSERT | {"insert_deduplication_token": token})
        faults.reached(f"live.{table.name}")


def ages_of(lines: pa.Table) -> NDArray[np.float64]:
    """For each event, by its line 0, the seconds since the broker took it."""
    taken = lines.filter(pc.equal(lines["line_no"], 0))["ingested_at"].cast(pa.timestamp("us", "UTC"))
    micros: NDArray[np.int64] = taken.cast(pa.int64()).to_numpy()
    return time.time() - micros / 1e6
