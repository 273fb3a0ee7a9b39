"""The lake lane: a batch of Kafka records becomes bronze, silver and quarantine, each event once.

Each step reads what the step before it committed, and each write has the batch's number as its Delta transaction. So a
batch that was interrupted anywhere is repeated: writes that were committed are skipped, the others are done.

    Kafka ─1─► bronze(batch) ─2─► which came before? ─3─► silver(batch) ─4─► bronze less silver: refused, or copies
                                                               └─► which supersede others of their document?

Step 4 makes "read = accepted + superseded + quarantined + duplicates" true by construction.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark import inheritable_thread_target
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf import Settings
from conf.connect import s3
from schemas.contract import Contract
from schemas.derive.delta import FINISHED
from schemas.derive.spark import schema_ddl
from streaming.core import failpoints, parse
from streaming.core.bloom_filter import BloomFilter, Hashes, suspects
from streaming.core.bronze_position import read_position
from streaming.core.corrections import IN_ORDER, Successions, document_flags, facts, flag_expressions, successions
from streaming.core.delta_commits import Commits
from streaming.core.domain import Branch, Domain
from streaming.core.field_mapping import unknown

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

Places = npt.NDArray[np.int64]
"""Partition and offset of records, as one number each."""

PLACE = "shiftleft(kafka_partition, 48) + kafka_offset"
# A producer's id may be bytes that are no text, which only Spark takes for a string.
ID_BYTES = "CAST(event_id AS BINARY) AS event_id"
HASHES_PER_LOAD = 20_000_000
PARALLEL_TABLES = 4
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
NO_PLACES: Places = np.empty(0, dtype=np.int64)
T = TypeVar("T")


@dataclass(frozen=True)
class Counts:
    """The outcome of one batch, in events.

    `superseded` counts the events, of this batch or of earlier ones, that no longer hold because of this batch. They
    are not counted as accepted, so the sum of `accepted` over all batches is the number of events that hold.
    """

    read: int
    accepted: int
    quarantined: int
    superseded: int = 0

    @property
    def duplicates(self) -> int:
        return self.read - self.accepted - self.superseded - self.quarantined


def batch_base(folder: Path, query_id: str, following: Callable[[], int]) -> int:
    """What to add to Spark's batch numbers, which begin at 0 with each new checkpoint, so that no number comes twice.

    Delta skips a number that it knows, so with a lost checkpoint data would be lost unseen. `query_id` is the id of the
    checkpoint, `following` returns the number after the lake's last; the result is saved beside the checkpoint.
    """
    file = folder / "epoch.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    if kept.get("id") == query_id:
        return int(kept["base"])
    base = following()
    folder.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"id": query_id, "base": base}))
    fresh.replace(file)
    return base


def app_id(contract: Contract) -> str:
    """The name of this lane's transactions of a table in Delta."""
    return f"lake:{contract.name}"


def not_inlined(number: int) -> Column:
    """The number as a column that Spark does not write into its generated code.

    Code that differs in one number would be compiled again with every batch. An array's element, at an index that is
    always 0 without the optimizer knowing it, is passed to the code as an object.
    """
    return F.get(F.array(F.lit(number).cast("bigint")), F.expr("CAST(kafka_partition % 1 AS INT)"))


@dataclass(frozen=True)
class EventFilter:
    """A filter over the events of a table that were ingested since a time."""

    since: datetime
    filter: BloomFilter


@dataclass(frozen=True)
class TableResult:
    """What one table took of a batch: the positions of accepted records and of copies, and how many are superseded."""

    accepted: Places = field(default_factory=lambda: NO_PLACES)
    copies: Places = field(default_factory=lambda: NO_PLACES)
    superseded: int = 0


@dataclass(frozen=True)
class BranchInput:
    """The records of a batch that one branch takes: the rows of bronze, their positions and the hashes of their ids."""

    raw: DataFrame
    places: Places
    hashes: Hashes


class LakeLane:
    """Writes one domain's batches. There is one instance for its tables: Delta on S3 allows one writer."""

    def __init__(self, spark: SparkSession, settings: Settings, domain: Domain) -> None:
        self.spark, self.settings, self.domain = spark, settings, domain
        self._commits = {t.name: Commits(settings, t, app_id(t)) for t in domain.tables if t != domain.quarantine}
        self._filters: dict[str, EventFilter] = {}

    def path(self, contract: Contract) -> str:
        return self.settings.table_path(contract.name)

    def table(self, contract: Contract) -> DataFrame:
        return self.spark.read.format("delta").load(self.path(contract))

    def last_batch(self) -> int | None:
        """The number of the lake's last batch; None before the first."""
        return read_position(self.spark, self.path(self.domain.bronze)).batch

    def following_batch(self) -> int:
        last = self.last_batch()
        return 0 if last is None else last + 1

    def write(self, kafka: DataFrame, number: int) -> Counts:
        """Write batch `number` to the lake. Repeated, it changes nothing."""
        records = parse.records(kafka)
        if self.domain.is_typed:
            # Each table then reads the pages with its own types, and not the whole batch.
            records = records.sortWithinPartitions("event_type")
        self._append(records, self.domain.bronze, number)
        return self.refine(number)

    def refine(self, number: int) -> Counts:
        """Write silver and quarantine of a batch that is in bronze."""
        domain = self.domain
        raw = self._rows(domain.bronze, number)
        wanted = [f"{PLACE} AS place", "event_hash", "ingested_at", *(["event_type"] if domain.is_typed else [])]
        events = raw.selectExpr(*wanted).toArrow()
        if not events.num_rows:
            return Counts(0, 0, 0)
        places, hashes = (events[c].to_numpy() for c in ("place", "event_hash"))
        since = pc.min(events["ingested_at"]).as_py() - timedelta(days=self.settings.dedup_days)

        def fill(branch: Branch) -> TableResult:
            is_taken = self._is_taken(branch, events)
            own = slice(None) if is_taken is None else is_taken
            if is_taken is not None and not is_taken.any():
                return TableResult()
            return self._silver(branch, BranchInput(self._of(branch, raw), places[own], hashes[own]), since, number)

        results = self._each(fill, domain.main_branches)
        accepted = np.concatenate([result.accepted for result in results])
        refused = ~np.isin(places, np.concatenate([accepted, *(result.copies for result in results)]))
        quarantined = self._quarantine(raw, events.filter(refused), number) if refused.any() else 0
        superseded = sum(result.superseded for result in results)
        for corrections in domain.corrections:
            self._mark_finished(corrections, number)
        return Counts(len(places), len(accepted) - superseded, quarantined, superseded)

    def _each(self, fill: Callable[[Branch], T], branches: Sequence[Branch]) -> list[T]:
        """Fill several tables at a time: each is little work and much waiting for plans and commits."""
        if len(branches) == 1:
            return [fill(branches[0])]
        with ThreadPoolExecutor(PARALLEL_TABLES) as pool:
            # With the batch's own job group and pool of Spark's scheduler.
            within = inheritable_thread_target(self.spark)
            return [future.result() for future in [pool.submit(within(fill), branch) for branch in branches]]

    def _is_taken(self, branch: Branch, events: pa.Table) -> npt.NDArray[np.bool_] | None:
        """Which of a batch's records a branch takes; None for all."""
        if not branch.types:
            return None
        return np.asarray(pc.is_in(events["event_type"], pa.array(sorted(branch.types))).to_numpy(zero_copy_only=False))

    def _of(self, branch: Branch, raw: DataFrame) -> DataFrame:
        return raw.where(F.col("event_type").isin(*branch.types)) if branch.types else raw

    def _silver(self, branch: Branch, share: BranchInput, since: datetime, number: int) -> TableResult:
        """Write the rows of a table and of its followers, and the corrections that follow from them."""
        silver = branch.silver
        copies = self._copies(branch, share, since, number)
        fresh = self._at(share.raw, copies, "left_anti") if len(copies) else share.raw
        self._append(branch.rows(fresh), silver, number)
        for follower in self.domain.followers(branch):
            self._append(follower.rows(fresh), follower.silver, number)
        documents = [f"{_document(silver)} AS document_hash"] if branch.corrections else []
        first = self._rows(silver, number).where("line_no = 0").selectExpr(f"{PLACE} AS place", *documents).toArrow()
        accepted = first["place"].to_numpy()
        superseded = self._corrections(silver, first["document_hash"].to_numpy(), number) if documents else 0
        self._filters[silver.name].filter.add(share.hashes[np.isin(share.places, accepted)])
        return TableResult(accepted, copies, superseded)

    def _corrections(self, silver: Contract, hashes: Hashes, number: int) -> int:
        """List what a batch that is in silver supersedes. Returns how many events no longer hold.

        All of silver is searched, since a document may be corrected years later. A batch that was interrupted before
        this is repeated and finds the same, for nothing before it has changed.
        """
        assert silver.superseded_by is not None
        before = self._before(silver, EARLIEST, number)
        known = self._filter(silver, before.where("line_no = 0"), EARLIEST, len(hashes), document=True)
        some = suspects(hashes, known)
        result = self._successions(silver, before, some, number) if len(some) else None
        if result is not None and result.rows.num_rows:
            rows = self.spark.createDataFrame(result.rows).coalesce(1)
            texts = {c: F.col(c).cast("string") for c in ("event_id", "superseded_by_event_id")}
            self._append(rows.withColumns(texts), silver.superseded_by, number)
        known.add(hashes)
        return result.superseded if result is not None else 0

    def _successions(self, silver: Contract, before: DataFrame, some: Hashes, number: int) -> Successions:
        """Read the events of these documents, as far as they matter, and find which supersede which."""
        columns, flags = facts(silver), list(document_flags(silver))
        suspected = F.broadcast(self._frame("document_hash", some))

        def versions(lines: DataFrame) -> DataFrame:
            hashed = lines.withColumn("document_hash", F.expr(_document(silver)))
            events = hashed.join(suspected, "document_hash", "left_semi").groupBy("kafka_partition", "kafka_offset")
            each = [F.first(c).alias(c) for c in columns if c not in IN_ORDER[1:]]
            return events.agg(*each, *map(F.expr, flag_expressions(silver))).select(*columns, *flags)

        # A source that gives one number to all its documents must not fill the driver's memory.
        (start,) = self._rows(silver, number).selectExpr("min(ingested_at)").first() or (None,)
        since = F.col("ingested_at") >= F.lit(start)
        earlier = versions(before.where(~since))
        last = F.max_by(F.struct("*"), F.struct(*IN_ORDER)).alias("last")
        held = earlier.groupBy(*silver.document_key, *flags).agg(last).select("last.*")
        known = held.unionByName(versions(before.where(since)).select(*held.columns))
        every = versions(self._rows(silver, number)).withColumn("is_new", F.lit(True)).unionByName(
            known.withColumn("is_new", F.lit(False))
        )  # fmt: skip
        return successions(every.withColumn("event_id", F.expr("CAST(event_id AS BINARY)")).toArrow(), silver)

    def _mark_finished(self, corrections: Contract, number: int) -> None:
        """Save beside the table of corrections that a batch is finished; most batches add no row to it."""
        body = json.dumps({"batch": number}).encode()
        name = self.path(corrections).removeprefix(f"s3a://{self.settings.bucket}/") + f"/{FINISHED}"
        s3(self.settings).put_object(self.settings.bucket, name, io.BytesIO(body), len(body))

    def _rows(self, contract: Contract, number: int) -> DataFrame:
        """The rows of a batch that was committed."""
        files = self._commits[contract.name].files(number)
        if files is None:
            return self.table(contract).where(F.col("batch_id") == number)
        return self.spark.read.schema(schema_ddl(contract)).parquet(*files) if files else self.table(contract).limit(0)

    def _append(self, rows: DataFrame, contract: Contract, number: int) -> None:
        (
            rows.withColumn("batch_id", not_inlined(number))
            .select(*contract.columns)
            .write.format("delta")
            .mode("append")
            .option("txnAppId", app_id(contract))
            .option("txnVersion", number)
            .save(self.path(contract))
        )
        failpoints.hit(f"lake.{contract.name}")

    def _copies(self, branch: Branch, share: BranchInput, since: datetime, number: int) -> Places:
        """Positions of copies of events that were accepted before, in this batch or another.

        Hashes find the suspects among millions; the ids decide. A copy of a refused event is no duplicate: the event
        may be sent again, corrected, with the same id.
        """
        before = self._before(branch.silver, since, number).where("line_no = 0")
        some = suspects(share.hashes, self._filter(branch.silver, before, since, len(share.hashes)))
        if not len(some):
            return NO_PLACES
        suspected = F.broadcast(self._frame("event_hash", some))
        good = branch.rows(share.raw.join(suspected, "event_hash", "left_semi")).where("line_no = 0")
        suspects_here = good.selectExpr(f"{PLACE} AS place", ID_BYTES, *IN_ORDER).toArrow()
        known = before.join(suspected, "event_hash", "left_semi").selectExpr(ID_BYTES).toArrow()
        return find_copies(suspects_here, known["event_id"])

    def _quarantine(self, raw: DataFrame, refused: pa.Table, number: int) -> int:
        """Write refused records with the reason. Returns how many were new; a copy of a refused event is not."""
        table = self.domain.quarantine
        places, hashes = (refused[c].to_numpy() for c in ("place", "event_hash"))
        before = self._before(table, EARLIEST, number).where(F.col("kafka_topic") == self.domain.topic)
        known = self._filter(table, before, EARLIEST, len(hashes))
        some = suspects(hashes, known)
        if len(some):
            among = self._at(raw, places[np.isin(hashes, some)], "left_semi")
            suspects_here = among.selectExpr("place", ID_BYTES, *IN_ORDER).toArrow()
            held = before.join(F.broadcast(self._frame("event_hash", some)), "event_hash", "left_semi")
            places = np.setdiff1d(places, find_copies(suspects_here, held.selectExpr(ID_BYTES).toArrow()["event_id"]))
        judged = [
            branch.refused(self._of(branch, self._at(raw, places, "left_semi")))
            for branch in self.domain.main_branches
            if (at := self._is_taken(branch, refused)) is None or at.any()
        ]
        if self.domain.is_typed:
            taken = F.coalesce(F.col("event_type").isin(*sorted(self.domain.types)), F.lit(False))
            judged.append(unknown(self._at(raw, places, "left_semi").where(~taken)))
        self._append(reduce(DataFrame.unionByName, judged), table, number)
        known.add(hashes)
        return len(places)

    def _before(self, contract: Contract, since: datetime, number: int) -> DataFrame:
        return self.table(contract).where((F.col("ingested_at") >= F.lit(since)) & (F.col("batch_id") < number))

    def _filter(
        self, contract: Contract, before: DataFrame, since: datetime, more: int, *, document: bool = False
    ) -> BloomFilter:
        """The filter over a table's events or documents. It is built again when it is missing, too full, or begins too
        late."""
        name, hashed = contract.name, F.col("event_hash")
        if document:
            name, hashed = f"{name} by document", F.expr(_document(contract))
        kept = self._filters.get(name)
        if kept is None or since < kept.since or not kept.filter.has_room(more):
            count = before.count()
            fresh = BloomFilter(2 * (count + more))
            chunks = 1 + count // HASHES_PER_LOAD
            hashes = before.select(hashed.alias("hash"))
            for chunk in range(chunks):
                part = hashes.where(F.expr(f"pmod(hash, {chunks}) = {chunk}")) if chunks > 1 else hashes
                fresh.add(part.toArrow()["hash"].to_numpy())
            kept = self._filters[name] = EventFilter(since, fresh)
        return kept.filter

    def _at(self, raw: DataFrame, places: Places, how: str) -> DataFrame:
        """The records at these positions, or (`left_anti`) at all others."""
        return raw.withColumn("place", F.expr(PLACE)).join(F.broadcast(self._frame("place", places)), "place", how)

    def _frame(self, name: str, values: npt.NDArray[np.int64]) -> DataFrame:
        return self.spark.createDataFrame(pa.table({name: values}))


def _document(silver: Contract) -> str:
    """The hash of a document's name, in Spark's SQL."""
    return f"xxhash64({', '.join(silver.document_key)})"


def find_copies(records: pa.Table, known: pa.ChunkedArray) -> Places:
    """Positions of the records whose id is known, or is that of an earlier one of these records."""
    ordered = records.sort_by([(column, "ascending") for column in IN_ORDER])
    repeats = ordered["event_id"].to_pandas().duplicated().to_numpy()
    is_known = pc.is_in(ordered["event_id"], known).to_numpy()
    return np.asarray(ordered["place"].to_numpy()[repeats | is_known], dtype=np.int64)
