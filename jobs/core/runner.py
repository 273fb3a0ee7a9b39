"""What every gold table goes through, and the order in which the tables of a run do.

    read (pinned versions) → build → conform → gates → write Delta → push to ClickHouse → journal

Tables that do not need each other are built from two threads of one session: one plans or writes while the other
computes.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from pyspark import StorageLevel

from jobs.core.conform import conform
from jobs.core.errors import Failed, sentence
from jobs.core.fingerprint import Facts, spark_facts
from jobs.core.inputs import Inputs, SharedSteps
from jobs.core.journal import Run
from jobs.core.lake import Lake
from jobs.core.registry import transforms
from jobs.gates.gates import GateResult, prepare, validate_rows
from schemas.contract import Contract
from schemas.derive.expectations import FEWEST_ROWS, MOST_ROWS, freshness, resolvable
from schemas.derive.spark import ident

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

THREADS = 2
ROWS_A_FILE = 1_000_000


@dataclass(frozen=True)
class JobRunner:
    """One run. `publish` makes ClickHouse show a version that holds the given facts; `record` writes the journal.

    `on_result` is told what the gates found, before anything follows from it. `before` has the tables' rows on the day
    before, and `change_pct` says by how much they may differ. `still_ours`
    is asked before each commit, and raises where another process writes the tables.
    """

    spark: SparkSession
    lake: Lake
    publish: Callable[[Contract, int, Facts], None]
    record: Callable[[Run], None]
    run_id: str
    day: date | None = None
    on_result: Callable[[Contract, GateResult], None] = lambda *_: None
    before: Mapping[str, int] = field(default_factory=dict)
    change_pct: float = 50.0
    still_ours: Callable[[], None] = lambda: None

    def run(self, tables: Sequence[Contract]) -> list[Run]:
        """Build the tables, each after those it is built from; where one of these was not built, it is not begun.

        Returns what became of each. Nothing is raised for a table that could not be built.
        """
        prepare()
        inputs = Inputs(self.spark, self.lake)
        # A day's rows are few, and a filter on the day reaches the files only where nothing is kept in between.
        shared = SharedSteps(tables if self.day is None else [])
        todo = _most_wanted_first(tables)
        running: dict[Future[Run], Contract] = {}
        done: dict[str, Run] = {}
        with ThreadPoolExecutor(THREADS, thread_name_prefix="job") as pool:
            while todo or running:
                waiting = {t.name for t in [*todo, *running.values()]}
                for table in [t for t in todo if not any(s.name in waiting for s in t.built_from)]:
                    todo.remove(table)
                    sources = [done[s.name] for s in table.built_from if s.name in done]
                    lacking = [source for source in sources if source.state != "done"]
                    running[pool.submit(self._one, table, inputs, shared, lacking)] = table
                for finished in wait(running, return_when=FIRST_COMPLETED).done:
                    done[running.pop(finished).name] = finished.result()
        return [done[t.name] for t in tables]

    def _one(self, table: Contract, inputs: Inputs, shared: SharedSteps, lacking: list[Run]) -> Run:
        run = Run(self.run_id, table, self.day.isoformat() if self.day else "all")
        self.spark.sparkContext.setJobDescription(f"{table.name}, {run.day}")
        try:
            if lacking:
                # Stopped with what it is built from: trying again would change neither.
                run.state = lacking[0].state
                raise Failed(f"It is built from {lacking[0].table.name}, which could not be built.")
            self._build(table, run, inputs, shared)
            run.state, run.step = "done", "done"
        except Failed as error:
            run.message = str(error)
        except Exception as error:
            run.message = sentence(error)
            traceback.print_exc()
        finally:
            shared.done(transforms()[table.name])
        run.finished_at = datetime.now(UTC)
        self.record(run)
        return run

    def _build(self, table: Contract, run: Run, inputs: Inputs, shared: SharedSteps) -> None:
        run.rows_in = sum(inputs.count(source) for source in table.built_from)
        sources = [inputs.frame(source) for source in table.built_from]
        if table.keeps_versions:
            sources.insert(0, inputs.frame(table))
        rows = conform(shared.build(transforms()[table.name], sources), table)
        if self._is_by_day(table):
            rows = rows.where(self._of_day(table))
        rows = rows.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            gate_result = self._run_gates(rows, table, run, inputs)
            self._lose_nothing(table, inputs, gate_result.facts.rows)
            run.step = "write"
            run.delta_version = self._write(table, rows, gate_result.facts.rows)
        finally:
            rows.unpersist()
        run.step = "push"
        self.publish(table, run.delta_version, self._facts(table, run.delta_version, gate_result))
        run.is_pushed = True
        self.lake.tidy(self.spark, table.name, run.delta_version)

    def _run_gates(self, rows: DataFrame, table: Contract, run: Run, inputs: Inputs) -> GateResult:
        began = time.monotonic()
        known = self._known(table, inputs)
        asking = time.monotonic() - began
        gate_result = validate_rows(rows, table, known)
        run.step = "gates"
        run.rows_out, run.verdicts = gate_result.facts.rows, gate_result.as_json()
        run.gates_seconds = round(asking + gate_result.seconds, 3)
        self.on_result(table, gate_result)
        if gate_result.stops:
            run.state = "stopped"
            raise Failed(f"Not published: {gate_result.stops}.")
        return gate_result

    def _known(self, table: Contract, inputs: Inputs) -> dict[str, Any]:
        """What the expectations are judged by that look beyond the table. A day's rows are compared with nothing."""
        views = [inputs.refer(reference.target) for reference in resolvable(table)]
        known: dict[str, Any] = {view: view for view in views if view}
        if self._is_by_day(table):
            return known
        for fresh in freshness(table):
            newest = inputs.newest(fresh.source, fresh.day)
            if newest is not None:
                known[fresh.parameter] = newest.isoformat()
        before = self.before.get(table.name)
        if before:
            known[FEWEST_ROWS] = ceil(before * (1 - self.change_pct / 100))
            known[MOST_ROWS] = floor(before * (1 + self.change_pct / 100))
        return known

    def _lose_nothing(self, table: Contract, inputs: Inputs, rows: int) -> None:
        """What a table that keeps versions has lost, no run makes again."""
        held = inputs.count(table) if table.keeps_versions else 0
        if rows < held:
            raise Failed(f"Not written: it holds {held:,} versions, and would hold only {rows:,}.")

    def _write(self, table: Contract, rows: DataFrame, count: int) -> int:
        self.still_ours()
        files = min(self.spark.sparkContext.defaultParallelism, count // ROWS_A_FILE + 1)
        where = self._of_day(table) if self._is_by_day(table) else ""
        return self.lake.write(rows.coalesce(files), table.name, where=where, note=self.run_id)

    def _facts(self, table: Contract, version: int, gate_result: GateResult) -> Facts:
        """What the written version holds in all; after a day's run that is more than the rows that were judged."""
        if not self._is_by_day(table):
            return gate_result.facts
        (answer,) = self.lake.read(self.spark, table.name, version).selectExpr(*spark_facts(table)).collect()
        return Facts.of(table, answer)

    def _is_by_day(self, table: Contract) -> bool:
        return self.day is not None and bool(table.day)

    def _of_day(self, table: Contract) -> str:
        return f"{ident(table.day)} = DATE'{self.day}'"


def _most_wanted_first(tables: Iterable[Contract]) -> list[Contract]:
    """Tables that others wait for come first, so that no thread is idle at the end."""
    named = list(tables)
    wanted = {t.name: sum(t in other.built_from for other in named) for t in named}
    return sorted(named, key=lambda t: (-wanted[t.name], t.name))
