"""The live lane: a micro-batch goes straight into ClickHouse, in one Spark query and one insert a table.

Exactly once: an insert has the token ``live:domain:checkpoint:batch``. A batch that is repeated has the same rows, so
ClickHouse drops it; what falls outside its window of tokens is collapsed by key (ReplacingMergeTree). Copies of an
event are left out, whatever their other columns say. What an event supersedes is listed before the event is visible
(`streaming.core.live_dedup`). Nothing is written to Delta here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import functions as F

from conf import Settings
from conf.connect import clickhouse
from schemas.contract import Contract, find
from schemas.contract.rules import quoted
from streaming.core import failpoints, parse
from streaming.core.domain import Branch, Domain, Step
from streaming.core.field_mapping import unknown
from streaming.core.live_dedup import LiveDedup, ScreenedBatch, places

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client
    from pyspark.sql import DataFrame, SparkSession

RAW = {"raw_hash": "event_hash", "raw_topic": "kafka_topic", "raw_headers": "headers", "raw_value": "value"}
"""What is kept of a refused record beside its envelope, to say why it was refused."""
PLACE = ("kafka_partition", "kafka_offset", "ingested_at", "event_id")
TABLE, UNKNOWN = "of_table", "unknown"

# A replay of many years touches more months at once than ClickHouse allows by default.
INSERT = {"async_insert": 0, "max_partitions_per_insert_block": 0}


@dataclass(frozen=True)
class LiveCounts:
    """The outcome of one batch: the lines inserted, and its events that hold, that are superseded, that were refused,
    and that are copies.

    `ages` has, for each event taken, the seconds from the broker's time to its being visible.
    """

    accepted: int
    lines: int
    refused: int
    superseded: int
    duplicates: int
    ages: NDArray[np.float64] = field(repr=False, compare=False)

    @classmethod
    def of(cls, taken: ScreenedBatch, refused: int) -> LiveCounts:
        """The counts of one table."""
        ages = ages_of(taken.lines)
        holding = len(ages) - taken.superseded
        return cls(holding, taken.lines.num_rows, refused, taken.superseded, taken.copies, ages)

    def __add__(self, other: LiveCounts) -> LiveCounts:
        return LiveCounts(
            self.accepted + other.accepted, self.lines + other.lines, self.refused + other.refused,
            self.superseded + other.superseded, self.duplicates + other.duplicates,
            np.concatenate([self.ages, other.ages]),
        )  # fmt: skip


class LiveLane:
    """Inserts one domain's micro-batches. The batch is bounded, so it may pass through the driver."""

    def __init__(
        self, spark: SparkSession, settings: Settings, domain: Domain, known: Mapping[str, LiveDedup] | None = None
    ) -> None:
        self.spark, self.domain, self.known = spark, domain, known or {}
        self.client = clickhouse(settings)
        self.quarantine = find("ops.quarantine")

    def shape(self, kafka: DataFrame) -> DataFrame:
        """The lines of the accepted events, and of a refused one what is needed to say why.

        It is part of the query itself: building it for each batch took longer than the batch. Of several tables each
        has columns of its own, which are null in the rows of the others.
        """
        records = parse.records(kafka)
        if not self._is_wide:
            (branch,) = self.domain.branches
            return self._lines(branch, records).selectExpr(*_columns(branch), *_facts("line IS NULL"))
        facts = _facts("line IS NULL")
        parts = [
            self._lines(branch, records).selectExpr(*_own(branch.silver.table, _columns(branch)), *facts)
            for branch in self.domain.branches
        ]
        if types := sorted(self.domain.types):
            others = records.where(~F.coalesce(F.col("event_type").isin(*types), F.lit(False)))
            parts.append(others.selectExpr(*_own(UNKNOWN, PLACE), *_facts("true")))
        return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), parts)

    @property
    def _is_wide(self) -> bool:
        return len(self.domain.branches) > 1 or self.domain.is_typed

    def _lines(self, branch: Branch, records: DataFrame) -> DataFrame:
        own = records.where(F.col("event_type").isin(*branch.types)) if branch.types else records
        every = branch.exploded(own)
        # A refused record is reported once, by the main table.
        cleaned = branch.clean(every if branch.main else every.where("line IS NOT NULL"))
        if lost := sorted({"line", *RAW.values()} - set(cleaned.columns)):
            raise ValueError(f"the function of {branch.silver.name} drops {', '.join(lost)}; it must keep what it gets")
        return cleaned

    def write(self, shaped: DataFrame, query_id: str, batch_id: int) -> LiveCounts:
        """Insert batch `batch_id` of the checkpoint `query_id`. Repeated, it changes nothing."""
        token = f"live:{self.domain.name}:{query_id}:{batch_id}"
        rows = shaped.toArrow()
        total = LiveCounts(0, 0, 0, 0, 0, np.empty(0))
        refused = []
        for branch in self.domain.main_branches:
            own = self._rows_of(rows, branch.silver.table)
            good = own.filter(own["is_accepted"]).select(_columns(branch))
            bad = own.filter(pc.invert(own["is_accepted"]))
            taken = self._take(branch, good, token) if good.num_rows else ScreenedBatch(good)
            for follower in self.domain.followers(branch):
                self._follow(follower, self._rows_of(rows, follower.silver.table), good, taken, token)
            if bad.num_rows:
                refused.append(self._refused(bad, branch.refused))
            total += LiveCounts.of(taken, bad.num_rows)
        if self._is_wide and (others := self._rows_of(rows, UNKNOWN)).num_rows:
            refused.append(self._refused(others, unknown))
            total += LiveCounts(0, 0, others.num_rows, 0, 0, np.empty(0))
        if refused:
            self._insert(self.quarantine, pa.concat_tables(refused, promote_options="default"), token)
        return total

    def _rows_of(self, rows: pa.Table, table: str) -> pa.Table:
        """One table's rows of a batch, with what is known of each record."""
        if not self._is_wide:
            return rows
        own = rows.filter(pc.equal(rows[TABLE], table))
        names = {name: name.removeprefix(f"{table}.") for name in own.column_names if name.startswith(f"{table}.")}
        names |= {name: name for name in ("is_accepted", *RAW)}
        return own.select(list(names)).rename_columns(list(names.values()))

    def _take(self, branch: Branch, lines: pa.Table, token: str) -> ScreenedBatch:
        """Insert the lines of accepted events, and before them the corrections that follow from them."""
        known = self.known.get(branch.silver.name)
        if known is None or branch.corrections is None:
            self._insert(branch.silver, lines, token)
            return ScreenedBatch(lines)
        with known.lock:
            taken = known.screen(self.client, lines)
            if taken.corrections is not None:
                # Without the token: a batch that is repeated may find more. Of equal rows ClickHouse keeps one.
                self._insert(branch.corrections, taken.corrections, "")
            if taken.lines.num_rows:
                self._insert(branch.silver, taken.lines, token)
        if taken.displaced:
            remove_copies(self.client, self.domain, branch.silver, taken.displaced)
        return taken

    def _follow(self, branch: Branch, lines: pa.Table, offered: pa.Table, taken: ScreenedBatch, token: str) -> None:
        """Insert another table's lines of the same events, without those of copies."""
        if taken.copies and lines.num_rows:
            copies = np.setdiff1d(places(offered), places(taken.lines))
            lines = lines.filter(pa.array(~np.isin(places(lines), copies)))
        if lines.num_rows:
            self._insert(branch.silver, lines.select(_columns(branch)), token)

    def _refused(self, bad: pa.Table, judged: Step) -> pa.Table:
        """The reasons of refused records. Being local rows, they are checked in the driver, without a Spark job."""
        wanted = [*PLACE, *RAW]
        local = self.spark.createDataFrame(bad.select(wanted).rename_columns([RAW.get(c, c) for c in wanted]))
        typed = local.withColumn("event_type", F.expr(parse.EVENT_TYPE))
        return judged(typed).select(*map(str, self.quarantine.serving_columns)).toArrow()

    def _insert(self, table: Contract, rows: pa.Table, token: str) -> None:
        once = {"insert_deduplication_token": token} if token else {"insert_deduplicate": 0}
        self.client.insert_arrow(table.name, rows, settings=INSERT | once)
        failpoints.hit(f"live.{table.name}")


def _columns(branch: Branch) -> list[str]:
    return [str(c) for c in branch.silver.serving_columns]


def _own(table: str, columns: Sequence[str]) -> list[str]:
    """The columns under names that tell them from those of other tables."""
    return [f"{quoted(table)} AS {TABLE}", *(f"`{column}` AS `{table}.{column}`" for column in columns)]


def _facts(is_refused: str) -> list[str]:
    """Whether a row's event is accepted, and where it is not, what it was."""
    kept = [f"{column} AS {name}" for name, column in RAW.items() if name in ("raw_hash", "raw_topic")]
    bytes_too = [f"CASE WHEN {is_refused} THEN {RAW[name]} END AS {name}" for name in ("raw_headers", "raw_value")]
    return [f"NOT ({is_refused}) AS is_accepted", *kept, *bytes_too]


def remove_copies(client: Client, domain: Domain, silver: Contract, at: Sequence[tuple[int, int]]) -> None:
    """Remove copies that are beside their original, and the corrections that were listed because of them.

    This is rare: such a copy came before its original was filled from the lake, or was read from another partition
    first.
    """
    corrections = silver.superseded_by
    assert corrections is not None
    (branch,) = (branch for branch in domain.branches if branch.silver.name == silver.name)
    others = [follower.silver for follower in domain.followers(branch)]
    some = ", ".join(f"({partition}, {offset})" for partition, offset in at)
    own = f"(kafka_partition, kafka_offset) IN ({some})"
    by_them = f"(superseded_by_partition, superseded_by_offset) IN ({some})"
    for table, where in ((corrections, f"{own} OR {by_them}"), *((other, own) for other in others), (silver, own)):
        client.command(f"DELETE FROM {table.name} WHERE {where}", settings={"lightweight_deletes_sync": 2})


def ages_of(lines: pa.Table) -> NDArray[np.float64]:
    """The seconds since the broker took each event, by its line 0."""
    taken = lines.filter(pc.equal(lines["line_no"], 0))["ingested_at"].cast(pa.timestamp("us", "UTC"))
    micros: NDArray[np.int64] = taken.cast(pa.int64()).to_numpy()
    return time.time() - micros / 1e6
