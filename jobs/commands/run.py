"""Builds gold tables: ``python -m jobs.commands.run nightly``, or a domain, or one table; ``--list`` shows the names.

Exit code 0: all is done. 1: a table failed, or a part is down. 2: a name or a day is wrong. 3: a gate stopped a table,
and no other failed.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from conf import Settings, settings
from conf.spark import spark_session
from jobs.core.command_line import with_exit_code
from jobs.core.errors import STOPPED, Failed, Refused, sentence
from jobs.core.journal import Run, State
from jobs.core.lake import S3Lake
from jobs.core.lease import lease
from jobs.core.moved_days import advice, other_days
from jobs.core.needed_parts import need_parts
from jobs.core.registry import transforms
from jobs.core.runner import JobRunner
from jobs.core.serving import Serving
from jobs.gates import gates
from jobs.gates.datadocs import DataDocs
from jobs.gates.gates import GateResult
from jobs.gates.samples import Samples
from schemas.contract import Contract, find, order_by_dependency
from schemas.derive.live_tables import ContractMismatch, apply_delta, remake_delta

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LITTLE = 30 << 20
"""Bytes of the tables to read, below which a job is over sooner when Java compiles in haste (about a million lines)."""
FIRST_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class Job:
    """What was asked for. `day` is None where everything is to be built."""

    name: str
    tables: Sequence[Contract]
    day: date | None
    run_id: str

    @property
    def domains(self) -> list[str]:
        """The domains whose tables it writes."""
        return sorted({table.domain for table in self.tables})

    @property
    def is_one_table(self) -> bool:
        """Whether it is not a whole night, nor a domain's."""
        return self.name in {n for t in self.tables for n in (t.name, t.table)}


@click.command()
@click.argument("name", default="")
@click.option("--day", help="Build only this day, e.g. 2026-03-01; tables without a day are built whole.")
@click.option("--only-by-day", is_flag=True, help="Leave out tables without a day.")
@click.option("--json", "as_json", is_flag=True, help="End with a line of JSON.")
@click.option("--list", "is_listed", is_flag=True, help="Show the names and end.")
@with_exit_code
def main(name: str, day: str | None, only_by_day: bool, as_json: bool, is_listed: bool) -> int:
    """Build gold tables and publish them: NAME is nightly (everything), a domain, or a table."""
    if is_listed:
        print("\n".join(_names()))
        return 0
    began = time.monotonic()
    run_id = f"{datetime.now(UTC):%Y%m%d%H%M%S}_{secrets.token_hex(3)}"
    job = Job(name, chosen(name, only_by_day=only_by_day), checked_day(day), run_id)
    runs = build(settings(), job)
    _summary(job, runs, time.monotonic() - began, as_json=as_json)
    return {"done": 0, "stopped": STOPPED, "failed": 1}[state_of(runs)]


def chosen(name: str | None, *, only_by_day: bool = False) -> list[Contract]:
    """The tables of a job, each after those it is built from. Raises Refused, with the names there are."""
    every = [transform.contract for transform in transforms().values()]
    selected = [t for t in every if name in ("nightly", t.domain, t.name, t.table)]
    if not selected:
        message = f"No job is called {name!r}" if name else "Which job?"
        raise Refused(f"{message}; there are: {', '.join(_names())}")
    selected = [t for t in selected if t.day or not only_by_day]
    if not selected:
        raise Refused(f"No table of {name!r} can be built by day")
    return order_by_dependency(selected)


def checked_day(text: str | None) -> date | None:
    """The day to be rebuilt. Raises Refused for what is no day, or none that an event can have."""
    if text is None:
        return None
    last = datetime.now(UTC).date() + timedelta(days=1)
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= last:
        raise Refused(f"{text!r} is no day that can be built; the days are {FIRST_DAY} to {last}, written like these")
    return day


def build(settings: Settings, job: Job) -> list[Run]:
    """Build and publish the tables in one Spark session; what becomes of each is printed and put into the journal.

    Raises Failed where nothing could be begun.
    """
    need_parts(settings)
    with lease(settings, f"job {job.name}", job.domains) as still_ours:
        serving, lake = Serving(settings, job.run_id), S3Lake(settings)
        serving.prepare(job.tables, whole=job.day is None)
        docs = DataDocs(settings.data_docs, job.run_id, settings.data_docs_runs)
        gates.prepare()
        sources = sorted({s.name for t in job.tables for s in t.built_from if s.refresh == "stream"})
        for name in sources:
            if lake.version(name) is None:
                print(f"{name} does not exist yet, so there is nothing to build: tables from it become empty.")
        spark = spark_session(
            settings, f"sauda job {job.name}", memory=settings.job_memory, ui_port=settings.port("job_ui"),
            quick=sum(map(lake.size, sources)) < LITTLE,
        )  # fmt: skip
        try:
            _make_delta_tables(spark, lake, job)

            def record(run: Run) -> None:
                print(_line(run), flush=True)
                try:
                    serving.record(run)
                except Exception as error:
                    print(f"The journal could not be written: {sentence(error)}", file=sys.stderr)

            def on_result(table: Contract, gate_result: GateResult) -> None:
                docs.add(table, gate_result)
                for verdict in gate_result.verdicts:
                    if not verdict.stops:
                        print(f"! {table.name}: {verdict}", flush=True)
                try:
                    serving.record_findings(table, gate_result, job.day)
                except Exception as error:
                    print(f"What the gates found could not be kept: {sentence(error)}", file=sys.stderr)

            runner = JobRunner(
                spark, lake, serving.publish, record, job.run_id, job.day, on_result, serving.rows_before(),
                settings.gates_change_pct, still_ours,
            )  # fmt: skip
            runs = runner.run(job.tables)
            if job.day is not None and (
                message := advice(job.day, other_days(spark, lake, map(find, sources), job.day))
            ):
                print(message, flush=True)
            if settings.gates_sample_rows and job.day is None and not job.is_one_table:
                since = serving.began.date() - timedelta(days=settings.gates_quiet_days)
                Samples(spark, lake, settings.gates_sample_rows, on_result, since).validate(map(find, sources))
            return runs
        finally:
            spark.stop()
            _finish(docs)


def _finish(docs: DataDocs) -> None:
    """A page that cannot be written is said; the tables are what counts."""
    try:
        docs.close()
    except Exception as error:
        print(f"The Data Docs could not be written: {sentence(error)}", file=sys.stderr)


def _make_delta_tables(spark: SparkSession, lake: S3Lake, job: Job) -> None:
    """Raises Failed where a live table differs from its contract, and no whole run can make it anew."""

    def apply(table: Contract) -> list[str]:
        return (remake_delta if job.day is None else apply_delta)(spark, table, lake.path(table.name))

    with ThreadPoolExecutor(4) as pool:
        try:
            list(pool.map(apply, job.tables))
        except ContractMismatch as difference:
            raise Failed(f"A contract and a live table disagree.\n{difference}") from None


def _line(run: Run) -> str:
    if run.state == "done":
        return f"✓ {run.table.name:<36} {run.rows_out:>12,} rows {run.seconds:>7.1f} s"
    return f"✗ {run.table.name}: {run.message}"


def _summary(job: Job, runs: Sequence[Run], seconds: float, *, as_json: bool) -> None:
    bad = [run for run in runs if run.state != "done"]
    day = f" for {job.day}" if job.day else ""
    if bad:
        print(f"{len(runs) - len(bad)} of {len(runs)} tables are built{day}, in {seconds:.1f} s. See ops.latest_runs.")
    else:
        print(f"{len(runs)} tables are built and published{day}, in {seconds:.1f} s.")
    if as_json:
        tables = [
            {"table": run.table.name, "state": run.state, "step": run.step, "rows": run.rows_out,
             "version": run.delta_version, "seconds": run.seconds, "gates_seconds": run.gates_seconds,
             "message": run.message}
            for run in runs
        ]  # fmt: skip
        print(
            json.dumps({"run_id": job.run_id, "state": state_of(runs), "seconds": round(seconds, 3), "tables": tables})
        )


def state_of(runs: Sequence[Run]) -> State:
    """Of all runs together: what a gate stopped will be stopped again, what else failed may do better another time."""
    states = {run.state for run in runs}
    return "failed" if "failed" in states else "stopped" if "stopped" in states else "done"


def _names() -> list[str]:
    every = [transform.contract for transform in transforms().values()]
    return ["nightly", *sorted({t.domain for t in every}), *(t.name for t in every)]


if __name__ == "__main__":
    main()
