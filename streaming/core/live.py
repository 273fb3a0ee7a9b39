"""The live lane: a micro-batch goes straight into ClickHouse, in one Spark job and one insert a table.

Exactly once: an insert carries the token ``live:domain:checkpoint:batch``, and a batch that is done again has the same
rows, so ClickHouse drops it; what falls outside its window of tokens is collapsed by key (ReplacingMergeTree). Copies
of an event are left out, whatever day or seller they name, and what a later event of a document supersedes is listed
before that event can be seen (`streaming.core.live_dedup`). Nothing is written to Delta here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from conf import Settings
from conf.connect import clickhouse
from schemas.contract import Contract, find
from streaming.core import failpoints, parse
from streaming.core.live_dedup import Known, Screened
from streaming.core.registry import Domain

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client
    from pyspark.sql import DataFrame, SparkSession

RAW_BACK = "CASE WHEN line IS NULL THEN {0} END AS raw_{0}"


# A replay of many years touches more months at once than ClickHouse allows by default.
INSERT = {"async_insert": 0, "max_partitions_per_insert_block": 0}


@dataclass(frozen=True)
class LiveCounts:
    """What became of one batch's records: lines inserted; events that hold, that hold no longer since this batch, that
    were refused, and copies.

    `ages` has, for each event taken, the seconds from the broker's time to its being readable.
    """

    accepted: int
    lines: int
    refused: int
    superseded: int
    duplicates: int
    ages: NDArray[np.float64] = field(repr=False, compare=False)


class LiveLane:
    """Inserts one domain's micro-batches. The batch is bounded, so it may pass through the driver."""

    def __init__(self, spark: SparkSession, settings: Settings, domain: Domain, known: Known | None = None) -> None:
        self.spark, self.domain, self.known = spark, domain, known
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
        taken = self._take(good.select(self.columns), token) if good.num_rows else Screened(good)
        ages = ages_of(taken.lines)
        if bad.num_rows:
            self._insert(self.quarantine, self._refused(bad), token)
        holding = len(ages) - taken.superseded
        return LiveCounts(holding, taken.lines.num_rows, bad.num_rows, taken.superseded, taken.copies, ages)

    def _take(self, lines: pa.Table, token: str) -> Screened:
        """Insert the lines of accepted events, and first what follows from them for others."""
        if self.known is None or self.branch.corrections is None:
            self._insert(self.branch.silver, lines, token)
            return Screened(lines)
        with self.known.lock:
            taken = self.known.screen(self.client, lines)
            if taken.corrections is not None:
                # Without the token: a batch that is done again may find more. Of equal rows ClickHouse keeps one.
                self._insert(self.branch.corrections, taken.corrections, "")
            if taken.lines.num_rows:
                self._insert(self.branch.silver, taken.lines, token)
        if taken.displaced:
            remove_copies(self.client, self.branch.silver, taken.displaced)
        return taken

    def _refused(self, bad: pa.Table) -> pa.Table:
        """Why each record was refused. Being local rows, they are judged in the driver, without a Spark job."""
        names = {"raw_topic": "kafka_topic", "raw_hash": "event_hash", "raw_headers": "headers", "raw_value": "value"}
        wanted = ["kafka_partition", "kafka_offset", "ingested_at", "event_id", *names]
        local = self.spark.createDataFrame(bad.select(wanted).rename_columns([names.get(c, c) for c in wanted]))
        return self.branch.refused(local).select(*map(str, self.quarantine.serving_columns)).toArrow()

    def _insert(self, table: Contract, rows: pa.Table, token: str) -> None:
        once = {"insert_deduplication_token": token} if token else {"insert_deduplicate": 0}
        self.client.insert_arrow(table.name, rows, settings=INSERT | once)
        failpoints.reached(f"live.{table.name}")


def remove_copies(client: Client, silver: Contract, places: Sequence[tuple[int, int]]) -> None:
    """Take copies out that stand beside their original, and what was listed because of them.

    Rare: a copy that came before its original was filled in from the lake, or was read from another partition sooner.
    """
    corrections = silver.superseded_by
    assert corrections is not None
    some = ", ".join(f"({partition}, {offset})" for partition, offset in places)
    own = f"(kafka_partition, kafka_offset) IN ({some})"
    by_them = f"(superseded_by_partition, superseded_by_offset) IN ({some})"
    for table, where in ((corrections, f"{own} OR {by_them}"), (silver, own)):
        client.command(f"DELETE FROM {table.name} WHERE {where}", settings={"lightweight_deletes_sync": 2})


def ages_of(lines: pa.Table) -> NDArray[np.float64]:
    """For each event, by its line 0, the seconds since the broker took it."""
    taken = lines.filter(pc.equal(lines["line_no"], 0))["ingested_at"].cast(pa.timestamp("us", "UTC"))
    micros: NDArray[np.int64] = taken.cast(pa.int64()).to_numpy()
    return time.time() - micros / 1e6
