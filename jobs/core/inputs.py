"""What tables are built from: pinned versions of their sources, and the steps that several tables begin with."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from pyspark import StorageLevel
from pyspark.sql import functions as F

from jobs.core.errors import Failed
from jobs.core.lake import Lake
from jobs.core.registry import Build, Transform, transforms
from schemas.contract import Contract
from schemas.derive.expectations import rows_of
from schemas.derive.spark import ident, schema_ddl

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Step = tuple[Build, tuple[str, ...]]
BROADCAST_EVENTS = 4_000_000
"""So many superseded events at most are sent to each reader of the rows (their hashes, 16 to 32 bytes each)."""


class Inputs:
    """The sources of one run. A streamed table has one version for the whole run, whatever is appended meanwhile."""

    def __init__(self, spark: SparkSession, lake: Lake, patience_seconds: float = 20.0) -> None:
        self.spark, self.lake, self.patience_seconds = spark, lake, patience_seconds
        self._frames: dict[str, DataFrame] = {}
        self._counts: dict[str, int] = {}
        self._newest: dict[tuple[str, str], date | None] = {}
        self._lock = threading.RLock()

    def frame(self, source: Contract) -> DataFrame:
        """The table as it stood when it was first asked for. A silver table that nothing has filled yet is empty.

        A nightly table may be built in the run itself, so its version is looked up anew. Raises Failed where a gold
        table has none.
        """
        with self._lock:
            if source.name not in self._frames or source.refresh == "nightly":
                self._frames[source.name] = self._read(source)
            return self._frames[source.name]

    def count(self, source: Contract) -> int:
        """How many rows the table has."""
        with self._lock:
            if source.name not in self._counts or source.refresh == "nightly":
                self._counts[source.name] = self.frame(source).count()
            return self._counts[source.name]

    def newest(self, source: Contract, day: str) -> date | None:
        """The newest day in a column of the table; None where it has no row."""
        with self._lock:
            if (source.name, day) not in self._newest or source.refresh == "nightly":
                ((newest_day,),) = self.frame(source).selectExpr(f"max({ident(day)})").collect()
                self._newest[source.name, day] = newest_day
            return self._newest[source.name, day]

    def refer(self, target: Contract) -> str:
        """Let a query find the table under a name, which is returned; empty where there is no such table yet."""
        if self.lake.version(target.name) is None:
            return ""
        self.frame(target).createOrReplaceTempView(rows_of(target))
        return rows_of(target)

    def _read(self, source: Contract) -> DataFrame:
        if source.layer == "stage":
            return self.lake.staged(self.spark, source)
        version = self.lake.version(source.name)
        if version is not None:
            rows = self.lake.read(self.spark, source.name, version)
            return self._holding(rows, source.superseded_by) if source.superseded_by else rows
        if source.layer == "gold":
            raise Failed(
                f"{source.name} is not built yet, and this table is built from it. Build all: job {source.domain}"
            )
        return self.spark.createDataFrame([], schema_ddl(source))

    def _holding(self, rows: DataFrame, corrections: Contract) -> DataFrame:
        """The rows of those events that no later one supersedes, as far as the version of the rows goes.

        The stream writes a batch's rows first and then what they supersede. So a batch that it has not finished is not
        read; and the list, looked up after the rows, may tell of batches that these lack: such an event still holds.
        """
        version = self.lake.version(corrections.name)
        if version is None:
            return rows
        ((last,),) = rows.selectExpr("max(batch_id)").collect()
        finished = self._finished(corrections, last)
        if finished != last:
            print(f"Batch {last} of {corrections.domain} is not finished: it is left out. Start the stream: ./start.sh")
            rows = rows.where(F.col("batch_id") <= F.lit(finished))
        # Looked up again, for the stream may have finished the batch meanwhile.
        listed = self.lake.read(self.spark, corrections.name, self.lake.version(corrections.name) or version)
        gone = listed.where(F.col("batch_id") <= F.lit(finished)).select("event_hash").distinct()
        gone = gone.coalesce(1).persist(StorageLevel.MEMORY_AND_DISK)
        count = gone.count()
        if not count:
            return rows
        few = F.broadcast(gone) if count <= BROADCAST_EVENTS else gone
        return rows.join(few, "event_hash", "left_anti").select(*rows.columns)

    def _finished(self, corrections: Contract, last: int | None) -> int | None:
        """The last of these batches that is finished; one that the stream is at is waited for."""
        deadline = time.monotonic() + self.patience_seconds
        while True:
            noted = self.lake.finished(corrections.name)
            if last is None or noted is None or noted >= last:
                return last
            if time.monotonic() >= deadline:
                return noted
            time.sleep(0.5)


class SharedSteps:
    """Results of steps that several tables begin with: made at the first need, kept until the last table is done."""

    def __init__(self, tables: Iterable[Contract]) -> None:
        self._users = Counter(step for table in tables if (step := step_of(transforms()[table.name])) is not None)
        self._kept: dict[Step, DataFrame] = {}
        self._lock = threading.Lock()

    def build(self, transform: Transform, inputs: list[DataFrame]) -> DataFrame:
        """The table's rows. A step that no other table of the run shares is not worth keeping."""
        step = step_of(transform)
        with self._lock:
            if step is None or (step not in self._kept and self._users[step] < 2):
                return transform.over(*inputs)
            if step not in self._kept:
                self._kept[step] = step[0](*inputs).persist(StorageLevel.MEMORY_AND_DISK)
            return transform.build(self._kept[step])

    def done(self, transform: Transform) -> None:
        """Say that a table is done, or given up."""
        step = step_of(transform)
        if step is None:
            return
        with self._lock:
            self._users[step] -= 1
            if not self._users[step] and step in self._kept:
                self._kept.pop(step).unpersist()


def step_of(transform: Transform) -> Step | None:
    """The shared step of a table, with the sources it is done over."""
    if transform.shared is None:
        return None
    return transform.shared, tuple(source.name for source in transform.contract.built_from)
