"""The nights by Sauda's own runner, in a process of its own: the first round is the cold one.

After it each round is two nights, with the gates and without. A night without them reads each table's facts as one with
them does, for the push compares by these; so what is between the two is what the gates cost.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.nightly_lines import write_lines, write_products
from conf import settings
from conf.spark import spark_session
from jobs.commands.run import chosen
from jobs.core.journal import Run
from jobs.core.lake import DeltaTables
from jobs.core.runner import JobRunner
from jobs.gates.gates import GateResult, figures
from schemas.contract import Contract
from schemas.derive.live_tables import apply_delta

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from jobs.core.inputs import Inputs


@dataclass(frozen=True)
class FolderLake(DeltaTables):
    """Delta tables on local disk, where the rival can read them too."""

    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / name.replace(".", "/"))

    def version(self, name: str) -> int | None:
        log = Path(self.path(name)) / "_delta_log"
        return max((int(f.stem) for f in log.glob("*.json") if f.stem.isdigit()), default=None)

    def finished(self, _name: str) -> int | None:
        return None

    def stage_files(self, _table: str) -> list[str]:
        """None: no table that is measured comes from the stage area."""
        return []


class Ungated(JobRunner):
    """A runner whose gates are open."""

    def _run_gates(self, rows: DataFrame, table: Contract, run: Run, inputs: Inputs) -> GateResult:  # noqa: ARG002
        facts, _ = figures(rows, table)
        run.rows_out, run.gates_seconds = facts.rows, 0.0
        return GateResult(facts, (), ())


def night(lake: FolderLake, spark: SparkSession, runner: type[JobRunner], this: int) -> None:
    """Build all gold tables; says what it took, in a line of JSON."""
    began = time.time()
    failed: list[str] = []

    def record(run: Run) -> None:
        if run.state != "done":
            failed.append(f"{run.table.name}: {run.message}")

    runs = runner(spark, lake, lambda *_: None, record, f"bench{this}").run(chosen("purchases"))
    ended = time.time()
    spent = {run.table.name: run.seconds for run in runs}
    rows = {run.table.name: run.rows_out for run in runs}
    gates = sum(run.gates_seconds or 0.0 for run in runs)
    measured = {"round": this, "gated": runner is JobRunner, "began": began, "ended": ended, "spent": spent,
                "rows": rows, "failed": failed, "gates": gates, "share": gates / sum(spent.values())}  # fmt: skip
    print(json.dumps(measured), flush=True)


def main(what: str, folder: str, number: str) -> None:
    """``lines FOLDER COUNT`` writes lines; ``night FOLDER ROUNDS`` builds all gold tables, one line of JSON a round."""
    lake = FolderLake(Path(folder))
    spark = spark_session(
        settings(), f"sauda bench {what}", memory=settings().job_memory, ui_port=settings().port("job_ui")
    )
    try:
        if what == "lines":
            write_lines(spark, int(number), lake.path("silver.purchase_lines"))
            write_products(spark, int(number), lake.path("silver.shop_products"))
            return
        for table in chosen("purchases"):
            apply_delta(spark, table, lake.path(table.name))
        night(lake, spark, JobRunner, 0)
        for this in range(1, int(number)):
            # In turn, for each round is a little faster than the one before.
            night(lake, spark, Ungated, this)
            night(lake, spark, JobRunner, this)
    finally:
        spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
