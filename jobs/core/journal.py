"""The journal of runs, `ops.job_runs`: a row for each table of each run, whatever became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal

from schemas.contract import Contract, contract
from schemas.ops.tables import JobRuns

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

State = Literal["done", "stopped", "failed"]
Step = Literal["build", "gates", "write", "push", "done"]
JOB_RUNS = contract(JobRuns)


@dataclass
class Run:
    """What is known of one table in one run; filled in as the run goes on."""

    run_id: str
    table: Contract
    day: str
    state: State = "failed"
    step: Step = "build"
    rows_in: int = 0
    rows_out: int = 0
    gates_seconds: float | None = None
    delta_version: int = -1
    verdicts: str = "{}"
    message: str = ""
    is_pushed: bool = False
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def seconds(self) -> float:
        return round((self.finished_at - self.started_at).total_seconds(), 3)

    def row(self) -> dict[str, Any]:
        """The run as a row of the journal."""
        facts = {c.name: getattr(self, c.name) for c in JOB_RUNS.columns if c != "contract"}
        return {"contract": self.table.name, **facts}


def rows_before(client: Client, day: date) -> dict[str, int]:
    """Table → its rows when it was last built whole before a day, UTC."""
    result = client.query(
        f"SELECT toString(contract), argMax(rows_out, finished_at) FROM {JOB_RUNS.name} "
        "WHERE state = 'done' AND day = 'all' AND toDate(finished_at, 'UTC') < {day:Date} GROUP BY contract",
        parameters={"day": day},
    )
    return {str(table): int(rows) for table, rows in result.result_rows}


def write(client: Client, run: Run) -> None:
    """Add the run to the journal."""
    row = run.row()
    columns = [c.name for c in JOB_RUNS.serving_columns]
    client.insert(JOB_RUNS.name, [[row[c] for c in columns]], column_names=columns)
