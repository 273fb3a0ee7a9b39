"""The nights: all gold tables of purchases, by Sauda and by DuckDB, from the same Delta files, with equal results.

Alone: ``python -m bench.nightly --rows 1000000,10000000``; as a part of all measurements: ``./start.sh bench nightly``.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import psutil
from rich.console import Console

from bench import report
from bench.nightly_push import Push, measured
from bench.nightly_spark import FolderLake
from bench.report import Report, Table, verdict
from conf import REPOSITORY, Settings, settings
from jobs.commands.run import chosen
from schemas.contract import Contract, find

SIZES, QUICK_SIZES = (1_000_000, 10_000_000, 30_000_000), (100_000,)
ROUNDS, ROUNDS_OF_MANY, MANY = 4, 2, 20_000_000
WARM_GOAL, COLD_GOAL = 1.5, 3.0
GATES_GOAL = 15.0
PUSHED = "gold.purchases_product_daily"
DUCKDB_THREADS, DUCKDB_MEMORY = 2, "1600MB"
ABOUT = (
    "Silver's purchase lines (50 shops, 300 products each, 27,400 lines a day, seen for longer the more lines "
    "there are; Delta on local disk, sorted as compaction leaves them) become all gold tables of purchases. Sauda's "
    "time is that of its own runner: read, build, conform, gates, write Delta; warm is the median of the runs after "
    "the first in one session, cold the first run with the start of Python and Spark. DuckDB has two threads and "
    "as much memory, is given the same whole numbers for money and ids and the same step from lines to purchases, "
    "has no gates, and writes Parquet. Results are compared row by row: exactly, but for shares and estimates, which "
    "are floats on their way and may differ in the last digit."
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """One size. Seconds; memory in megabytes, at its most."""

    rows: int
    cold: float
    warm: float
    duckdb: float
    spark_mb: int
    duckdb_mb: int
    by_table: dict[str, tuple[float, float, int]]
    gates: float
    gates_share: float
    ungated: float
    push: Push | None

    @property
    def warm_ratio(self) -> float:
        return self.warm / self.duckdb

    @property
    def gates_of_night(self) -> float:
        """Percent of the night's own time: what it takes longer with the gates than without."""
        return 100 * (self.warm - self.ungated) / self.warm

    @property
    def cold_ratio(self) -> float:
        return self.cold / self.duckdb


def run(settings: Settings, quick: bool, say: Say, sizes: Sequence[int] = ()) -> list[Report]:
    """Measure each size. Raises AssertionError where the two do not come to the same rows."""
    return [_report(list(_outcomes(settings, sizes or (QUICK_SIZES if quick else SIZES), say)))]


def _outcomes(settings: Settings, sizes: Sequence[int], say: Say) -> Iterator[Outcome]:
    folder = settings.data / "bench-nightly"
    for size in sizes:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield _measured(settings, folder, size, say)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _measured(settings: Settings, folder: Path, size: int, say: Say) -> Outcome:
    rounds = str(ROUNDS_OF_MANY if size > MANY else ROUNDS)
    say(f"writing {size:,} lines")
    lake = FolderLake(folder)
    lines, products = lake.path("silver.purchase_lines"), lake.path("silver.shop_products")
    _child("bench.nightly_spark", "lines", str(folder), str(size))
    say(f"{size:,} lines: DuckDB")
    out = folder / "duckdb"
    out.mkdir()
    limits = (str(DUCKDB_THREADS), DUCKDB_MEMORY)
    _, rival, rival_mb = _child("bench.nightly_duckdb", lines, products, str(out), *limits, rounds)
    say(f"{size:,} lines: Sauda")
    began, nights, spark_mb = _child("bench.nightly_spark", "night", str(folder), rounds)
    for night in nights:
        assert not night["failed"], night["failed"]
    ours = [night for night in nights if night["gated"]]
    tables = chosen("purchases")
    say(f"{size:,} lines: comparing")
    for table in tables:
        compare(table, lake.path(table.name), out / f"{table.name}.parquet")
    warm, ungated, duckdb = (
        statistics.median(night["ended"] - night["began"] for night in some)
        for some in (ours[1:], [night for night in nights if not night["gated"]], rival[1:])
    )
    by_table = {
        t.name: (ours[-1]["spent"][t.name], rival[-1]["spent"][t.name], ours[-1]["rows"][t.name]) for t in tables
    }
    push = measured(settings, lake, find(PUSHED))
    cold = ours[0]["ended"] - began
    gates, share = (statistics.median(night[what] for night in ours[1:]) for what in ("gates", "share"))
    return Outcome(size, cold, warm, duckdb, spark_mb, rival_mb, by_table, gates, share, ungated, push)


def _child(module: str, *words: str) -> tuple[float, list[dict[str, Any]], int]:
    """Run a module to its end: when it began, the lines of JSON it wrote, the most memory it and its children had."""
    began, peak = time.time(), 0
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", module, *words], cwd=REPOSITORY, env=os.environ | {"PYTHONUNBUFFERED": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        listener = threading.Thread(target=lines.extend, args=(process.stdout,))
        listener.start()
        root = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _resident(root))
            time.sleep(0.2)
        listener.join()
    assert process.returncode == 0, "".join(lines[-20:])
    return began, [json.loads(line) for line in lines if line.startswith("{")], peak // 2**20


def _resident(root: psutil.Process) -> int:
    resident = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            resident += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return resident


def compare(table: Contract, delta: str, parquet: Path) -> None:
    """Whether both hold the same rows. Raises AssertionError with an example where they do not."""
    import duckdb
    from deltalake import DeltaTable

    base = duckdb.connect()
    base.execute("SET TimeZone = 'UTC'")
    base.execute(f"CREATE VIEW ours AS SELECT * FROM read_parquet({DeltaTable(delta).file_uris()!r})")
    base.execute(f"CREATE VIEW theirs AS SELECT * FROM read_parquet('{parquet}')")
    there = {row[0] for row in base.execute("DESCRIBE theirs").fetchall()}
    # Sentences are not the rival's business; estimates are floats on their way, so they may end in another digit.
    estimates = [c.name for c in table.columns if c.type.name == "NUMBER" or (c.optional and c.type.name == "MONEY")]
    exact = ", ".join(f'"{c}"' for c in table.columns if c in there and c not in estimates)
    for one, other in (("ours", "theirs"), ("theirs", "ours")):
        lacking = base.execute(
            f"SELECT {exact} FROM {one} EXCEPT ALL SELECT {exact} FROM {other} ORDER BY ALL LIMIT 1"
        ).fetchall()
        assert not lacking, f"{table.name}: {one} has a row that {other} have not: {lacking}"
    keys = ", ".join(f'"{c}"' for c in table.key)
    for name in estimates:
        one, other = f'ours."{name}"', f'theirs."{name}"'
        near = f"abs({one} - {other}) <= 0.0001 + 1e-9 * abs({other})"
        ((far,),) = base.execute(
            f"SELECT count(*) FROM ours JOIN theirs USING ({keys}) "
            f"WHERE {one} IS DISTINCT FROM {other} AND coalesce(NOT ({near}), true)"
        ).fetchall()
        assert not far, f"{table.name}: {far} values of {name} differ"


def _report(outcomes: Sequence[Outcome]) -> Report:
    sizes = Table(
        "Seconds for all tables",
        ["lines", "DuckDB", "Sauda, warm", "times", "Sauda, cold", "times", "Sauda, MB", "DuckDB, MB"],
        [[o.rows, o.duckdb, o.warm, o.warm_ratio, o.cold, o.cold_ratio, o.spark_mb, o.duckdb_mb] for o in outcomes],
    )
    last = outcomes[-1]
    tables = Table(
        f"Table by table, {last.rows:,} lines, seconds",
        ["table", "rows", "Sauda, warm", "DuckDB"],
        [[name, rows, ours, theirs] for name, (ours, theirs, rows) in last.by_table.items()],
    )
    gates = Table(
        "The gates, warm: all tables judged by Great Expectations",
        ["lines", "table-seconds", "% of all", "night, s", "without gates, s", "% of the night"],
        [[o.rows, o.gates, 100 * o.gates_share, o.warm, o.ungated, o.gates_of_night] for o in outcomes],
    )
    pushes = [o.push for o in outcomes if o.push is not None]
    pushed = Table(
        "Push into ClickHouse: load from the lake, comparison, swap",
        ["table", "rows", "seconds", "rows/s"],
        [[p.table, p.rows, p.seconds, p.rate] for p in pushes],
    )
    judged = next((o for o in outcomes if o.rows == 10_000_000), last)
    share = 100 * judged.gates_share
    goals = [
        verdict(f"warm, {judged.rows:,} lines, times DuckDB's time", judged.warm_ratio, WARM_GOAL, at_least=False),
        verdict(f"cold, {judged.rows:,} lines, times DuckDB's time", judged.cold_ratio, COLD_GOAL, at_least=False),
        verdict(f"gates, {judged.rows:,} lines, % of a night", judged.gates_of_night, GATES_GOAL, at_least=False),
        verdict(f"gates, {judged.rows:,} lines, % of table-seconds", share, GATES_GOAL, at_least=False),
    ]
    notes = [
        "Sauda builds two tables at a time, so its seconds by table overlap and add up to more than the whole; the "
        "first table that needs the purchases waits for them. DuckDB's by table leave out its step to purchases.",
        "A night without gates reads each table once for its rows, checksum and sums, as one with gates does: the push "
        "compares by these. With gates that reading also counts what breaks a rule, which is in the night's share and "
        "not in the table-seconds: these are of what is asked beside it.",
        "Equal results were required, and found.",
    ]
    shown = [sizes, tables, gates, *([pushed] if pushes else [])]
    figures = {"sizes": [asdict(o) for o in outcomes]}
    return Report("nightly", "The nights against DuckDB", ABOUT, shown, goals, notes, figures)


@click.command()
@click.option("--rows", default=",".join(map(str, SIZES)), show_default=True, help="Sizes, with commas between.")
def main(rows: str) -> None:
    """Measure the nights alone; no part of the stack is needed. Results go to bench/results/."""
    console = Console(highlight=False)
    outcomes: list[Outcome] = []
    for outcome in _outcomes(settings(), [int(size) for size in rows.split(",")], console.print):
        # Written after each size: the largest takes longest, and may run out of disk or patience.
        outcomes.append(outcome)
        report.write(_report(outcomes), report.machine(settings().java_home))
    report.show(_report(outcomes), console)


if __name__ == "__main__":
    main()
