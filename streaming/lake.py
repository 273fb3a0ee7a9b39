"""The lake lane: a batch of Kafka records becomes bronze, silver and quarantine, each event once.

Each step reads what the step before it committed, and each write carries the batch's number as its Delta transaction,
so a batch that is cut off anywhere is simply done again: what stands is skipped, what is missing is made.

    Kafka ─1─► bronze(batch) ─2─► which came before? ─3─► silver(batch) ─4─► bronze less silver: refused, or copies

Step 4 makes "read = accepted + quarantined + duplicates" true by construction.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from conf import Settings
from schemas.contract import Contract
from schemas.derive.spark import schema_ddl
from streaming import faults, parse
from streaming.commits import Commits
from streaming.registry import Domain

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

PLACE = "shiftleft(kafka_partition, 48) + kafka_offset"
IN_ORDER = ("ingested_at", "kafka_partition", "kafka_offset")


@dataclass(frozen=True)
class Counts:
    """What became of one batch's records, in events."""

    read: int
    accepted: int
    quarantined: int

    @property
    def duplicates(self) -> int:
        return self.read - self.accepted - self.quarantined


def batch_base(folder: Path, query_id: str, following: Callable[[], int]) -> int:
    """What to add to Spark's batch numbers, which begin at 0 with each new checkpoint, so that they never come twice.

    Delta skips a number that it knows, so a lost checkpoint would lose data in silence. `query_id` is the checkpoint's
    own id, `following` answers with the number after the lake's last; what it said is kept beside the checkpoint.
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
    """Under which name Delta knows this lane's transactions of a table."""
    return f"lake:{contract.name}"


class LakeLane:
    """Writes one domain's batches. One instance a table set and process: Delta on S3 allows one writer."""

    def __init__(self, spark: SparkSession, settings: Settings, domain: Domain) -> None:
        self.spark, self.settings, self.domain = spark, settings, domain
        self._commits = {t.name: Commits(settings, t, app_id(t)) for t in (domain.bronze, domain.silver)}

    def path(self, contract: Contract) -> str:
        return self.settings.table_path(contract.name)

    def table(self, contract: Contract) -> DataFrame:
        return self.spark.read.format("delta").load(self.path(contract))

    def last_batch(self) -> int | None:
        """The number of the lake's last batch; None before the first."""
        last = self.table(self.domain.bronze).agg(F.max("batch_id")).head()
        return None if last is None else last[0]

    def following_batch(self) -> int:
        last = self.last_batch()
        return 0 if last is None else last + 1

    def write(self, kafka: DataFrame, number: int) -> Counts:
        """Bring batch `number` into the lake. Doing it again changes nothing."""
        domain = self.domain
        self._append(parse.records(kafka).withColumn("batch_id", F.lit(number).cast("bigint")), domain.bronze, number)
        return self.refine(number)

    def refine(self, number: int) -> Counts:
        """Silver and quarantine of a batch that stands in bronze."""
        domain = self.domain
        raw = self._rows(domain.bronze, number)
        read, since = raw.agg(F.count("*"), F.min("ingested_at")).collect()[0]
        if not read:
            return Counts(0, 0, 0)
        copies = self._copies(raw, since - timedelta(days=self.settings.dedup_days), number)
        fresh = self._without(raw, self.spark.createDataFrame(copies)) if copies.num_rows else raw
        lines = domain.clean(parse.exploded(fresh, domain.event).where("line IS NOT NULL"))
        self._append(lines.withColumn("batch_id", F.lit(number).cast("bigint")), domain.silver, number)
        silver = self._rows(domain.silver, number).where("line_no = 0").select(F.expr(PLACE).alias("place"))
        left = self._without(raw, silver).select("place").toArrow()
        refused = left.filter(pc.invert(pc.is_in(left["place"], copies["place"])))
        quarantined = self._quarantine(raw, refused, number) if refused.num_rows else 0
        return Counts(read, read - left.num_rows, quarantined)

    def _rows(self, contract: Contract, number: int) -> DataFrame:
        """A batch's rows, after its commit."""
        files = self._commits[contract.name].files(number)
        if files is None:
            return self.table(contract).where(F.col("batch_id") == number)
        return self.spark.read.schema(schema_ddl(contract)).parquet(*files) if files else self.table(contract).limit(0)

    def _append(self, rows: DataFrame, contract: Contract, number: int) -> None:
        (
            rows.select(*contract.columns)
            .write.format("delta")
            .mode("append")
            .option("txnAppId", app_id(contract))
            .option("txnVersion", number)
            .save(self.path(contract))
        )
        faults.reached(f"lake.{contract.name}")

    def _copies(self, raw: DataFrame, since: Any, number: int) -> pa.Table:
        """Places (partition and offset as one number) of copies of events accepted before, in this batch or another.

        Hashes find the suspects among millions by whole numbers alone; the ids themselves decide. Only an accepted
        event makes a later copy a duplicate: a refused one may be sent again, mended, under its id.
        """
        ids = raw.select("event_hash", "event_id")
        twice = ids.groupBy("event_hash").count().where("count > 1").select("event_hash")
        before = self.table(self.domain.silver).where(
            (F.col("ingested_at") >= F.lit(since)) & (F.col("line_no") == 0) & (F.col("batch_id") < number)
        )
        seen = before.join(F.broadcast(ids.select("event_hash")), "event_hash", "left_semi").select("event_hash")
        suspects = twice.union(seen).distinct().toArrow()
        if not suspects.num_rows:
            return suspects.rename_columns(["place"])
        hashes = F.broadcast(self.spark.createDataFrame(suspects))
        again = raw.join(hashes, "event_hash", "left_semi")
        good = self.domain.clean(parse.exploded(again, self.domain.event).where("line IS NOT NULL")).where(
            "line_no = 0"
        )
        known = (
            before.join(hashes, "event_hash", "left_semi").select("event_id", F.lit(True).alias("is_known")).distinct()
        )
        nth = F.row_number().over(Window.partitionBy("event_id").orderBy(*IN_ORDER))
        judged = good.select(*parse.ENVELOPE, nth.alias("nth")).join(known, "event_id", "left")
        return judged.where("nth > 1 OR is_known").select(F.expr(PLACE).alias("place")).toArrow()

    def _without(self, raw: DataFrame, places: DataFrame) -> DataFrame:
        return raw.withColumn("place", F.expr(PLACE)).join(F.broadcast(places), "place", "left_anti")

    def _quarantine(self, raw: DataFrame, places: pa.Table, number: int) -> int:
        """Say why of the records at `places`. Returns how many were new: a second copy of a refused event is not."""
        table = self.domain.quarantine
        rest = raw.withColumn("place", F.expr(PLACE)).join(
            F.broadcast(self.spark.createDataFrame(places)), "place", "left_semi"
        )
        nth = F.row_number().over(Window.partitionBy("event_id").orderBy(*IN_ORDER))
        first = parse.refused(rest, self.domain.event).withColumn("nth", nth).where("nth = 1")
        ids = ["event_hash", "event_id"]
        before = self.table(table).where((F.col("kafka_topic") == self.domain.topic) & (F.col("batch_id") < number))
        known = before.join(F.broadcast(first.select(*ids)), ids, "left_semi").select(*ids)
        new = first.join(F.broadcast(known), ids, "left_anti").withColumn("batch_id", F.lit(number).cast("bigint"))
        self._append(new, table, number)
        return self.table(table).where(F.col("batch_id") == number).count()
