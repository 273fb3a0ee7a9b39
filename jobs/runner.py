"""What every gold table goes through, and the order in which the tables of a run do.

    read (pinned versions) → build → conform → gates → write Delta → push to ClickHouse → journal

Tables that do not need each other are built from two threads of one session: one plans or writes while the other
computes. Steps that several tables begin with are done once and kept in memory until the last of these is done.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from jobs.conform import conform
from jobs.errors import Failed
from jobs.gates import judge
from jobs.journal import Run
from jobs.lake import Lake
from jobs.registry import Build, transforms
from schemas.contract import Contract
from schemas.derive.spark import ident, schema_ddl

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from jobs.fingerprint import Facts

THREADS = 2
ROWS_A_FILE = 1_000_000

Publish = Callable[[Contract, int, "Facts"], None]


@dataclass
class _Shared:
    """A step that several tables begin with: its result, kept while any of them is to come."""

    result: DataFrame
    users: int


@dataclass
class Session:
    """One run over a set of tables: versions are pinned when they are first read, and read no other way after."""

    spark: SparkSession
    lake: Lake
    publish: Publish
    record: Callable[[Run], None]
    run_id: str
    day: date | None = None
    threads: int = THREADS
    _inputs: dict[str, DataFrame] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _shared: dict[tuple[Build, tuple[str, ...]], _Shared] = field(default_factory=dict)
    _users: dict[tuple[Build, tuple[str, ...]], int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def run(self, tables: Sequence[Contract]) -> list[Run]:
        """Build the tables, each after those it is built from; where one of these is not done, it is not begun.

        Returns what became of each; nothing is raised for a table that could not be built.
        """
        for table in tables:
            if (step := _step(table)) is not None:
                self._users[step] = self._users.get(step, 0) + 1
        todo, done, running = {t.name: t for t in _most_wanted_first(tables)}, {}, {}
        with ThreadPoolExecutor(self.threads, thread_name_prefix="job") as pool:
            while todo or running:
                for name in [n for n, t in todo.items() if not any(s.name in todo for s in t.built_from)]:
                    if any(s.name in running.values() for s in todo[name].built_from):
                        continue
                    running[pool.submit(self._one, todo.pop(name), dict(done))] = name
                for finished in wait(running, return_when=FIRST_COMPLETED).done:
                    done[running.pop(finished)] = finished.result()
        return [done[t.name] for t in tables]

    def _one(self, table: Contract, before: dict[str, Run]) -> Run:
        run = Run(self.run_id, table, self.day.isoformat() if self.day else "all")
        self.spark.sparkContext.setJobDescription(f"{table.name}, {run.day}")
        try:
            for source in table.built_from:
                if source.name in before and before[source.name].state != "done":
                    raise Failed(f"It is built from {source.name}, which was not built.")
            self._build(table, run)
            run.state, run.step = "done", "done"
        except Failed as error:
            run.message = str(error)
        except Exception as error:
            run.message = sentence(error)
            traceback.print_exc()
        finally:
            self._release(table)
        run.finished_at = datetime.now(UTC)
        self.record(run)
        return run

    def _build(self, table: Contract, run: Run) -> None:
        from pyspark import StorageLevel

        run.rows_in = sum(self._count(source) for source in table.built_from)
        rows = conform(self._built(table), table)
        if self._is_by_day(table):
            rows = rows.where(f"{ident(table.day)} = DATE'{self.day}'")
        rows = rows.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            judgement = judge(rows, table)
            run.rows_out, run.verdicts = judgement.facts.rows, judgement.as_json()
            run.step = "gates"
            if judgement.stops:
                run.state = "stopped"
                raise Failed(f"Stopped at the gates: {judgement.stops}.")
            run.step = "write"
            run.delta_version = self._write(table, rows, judgement.facts.rows)
        finally:
            rows.unpersist()
        run.step = "push"
        self.publish(table, run.delta_version, judgement.facts)
        run.is_pushed = True

    def _built(self, table: Contract) -> DataFrame:
        """The table's rows, from what it is built from or from the step it shares with others."""
        transform = transforms()[table.name]
        inputs = [self._input(source) for source in table.built_from]
        step = _step(table)
        # A day's rows are few; and a filter on the day reaches the files only where nothing is kept in between.
        if step is None or self._users.get(step, 0) < 2 or self.day is not None:
            return transform.over(*inputs)
        from pyspark import StorageLevel

        with self._lock:
            if step not in self._shared:
                kept = step[0](*inputs).persist(StorageLevel.MEMORY_AND_DISK)
                self._shared[step] = _Shared(kept, self._users[step])
            return transform.build(self._shared[step].result)

    def _release(self, table: Contract) -> None:
        step = _step(table)
        with self._lock:
            if step in self._shared:
                self._shared[step].users -= 1
                if not self._shared[step].users:
                    self._shared.pop(step).result.unpersist()

    def _input(self, source: Contract) -> DataFrame:
        """The newest version of a table at the time it is first asked for. One that no stream has filled yet is empty."""
        with self._lock:
            if source.name not in self._inputs or source.layer == "gold":
                version = self.lake.version(source.name)
                if version is not None:
                    reader = self.spark.read.format("delta").option("versionAsOf", version)
                    self._inputs[source.name] = reader.load(self.lake.path(source.name))
                elif source.layer == "gold":
                    raise Failed(f"{source.name} is not built yet, and this table is built from it. Build both: job {source.domain}")
                else:
                    self._inputs[source.name] = self.spark.createDataFrame([], schema_ddl(source))
            return self._inputs[source.name]

    def _count(self, source: Contract) -> int:
        if source.layer == "gold":
            return self._input(source).count()
        with self._lock:
            if source.name not in self._counts:
                self._counts[source.name] = self._input(source).count()
            return self._counts[source.name]

    def _is_by_day(self, table: Contract) -> bool:
        return self.day is not None and bool(table.day)

    def _write(self, table: Contract, rows: DataFrame, count: int) -> int:
        """Replace the Delta table, or its day. Returns the version that this made; doing it again makes an equal one."""
        files = min(self.spark.sparkContext.defaultParallelism, count // ROWS_A_FILE + 1)
        writer = rows.coalesce(files).write.format("delta").mode("overwrite").option("userMetadata", self.run_id)
        if self._is_by_day(table):
            writer = writer.option("replaceWhere", f"{ident(table.day)} = DATE'{self.day}'")
        writer.save(self.lake.path(table.name))
        version = self.lake.version(table.name)
        if version is None:
            raise Failed(f"{table.name} was written, and its log has no commit all the same.")
        return version


def _step(table: Contract) -> tuple[Build, tuple[str, ...]] | None:
    shared = transforms()[table.name].shared
    return (shared, tuple(source.name for source in table.built_from)) if shared else None


def _most_wanted_first(tables: Iterable[Contract]) -> list[Contract]:
    """Tables that others wait for come first, so that no thread is idle at the end."""
    named = list(tables)
    waiting = {t.name: sum(t.name in (s.name for s in other.built_from) for other in named) for t in named}
    return sorted(named, key=lambda t: (-waiting[t.name], t.name))


def sentence(error: BaseException) -> str:
    """The first line of an error: Spark's are followed by pages of plans and stacks."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
