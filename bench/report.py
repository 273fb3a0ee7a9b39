"""What a measurement leaves behind: Markdown and JSON in bench/results/, tables on the screen, and an overview.

Names of hosts and paths never get into it: results are read by people who have other machines.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
from rich import box
from rich.console import Console
from rich.table import Table as Shown

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = (
    "pyspark", "delta-spark", "chdb-core", "clickhouse-connect", "confluent-kafka", "polars", "deltalake", "duckdb",
    "pyarrow",
)  # fmt: skip

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Columns and rows; a cell that is a number is set to the right and shown with few digits."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass
class Report:
    """One measurement. `goals` are single sentences with a verdict in front; `figures` is what programs read."""

    name: str
    title: str
    about: str
    tables: list[Table] = field(default_factory=list)
    goals: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


def verdict(what: str, value: float, goal: float, *, at_least: bool) -> str:
    """A goal's line: ``met: … (goal 1.2)`` or ``missed: …``."""
    good = value >= goal if at_least else value <= goal
    sign = "at least" if at_least else "at most"
    return f"{'met' if good else 'missed'}: {what} {shown(value)} (goal: {sign} {shown(goal)})"


def shown(cell: Cell) -> str:
    """A figure as people read it: ``61,234``, ``12.4``, ``0.183``; a dash for nothing."""
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 1000:
        return f"{cell:,.0f}"
    return f"{cell:.1f}" if abs(cell) >= 100 else f"{cell:.2f}" if abs(cell) >= 1 else f"{cell:.3f}"


def machine(java: Path | None = None) -> dict[str, str]:
    """Cores, memory and versions of this machine. `java` is the Java home in use."""
    facts = {
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "Java": java_version(java),
    }
    for package in PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    return facts


def java_version(java: Path | None) -> str:
    """``17.0.12``, or "not found"."""
    command = str(java / "bin" / "java") if java else "java"
    try:
        printed = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=20).stderr
    except (OSError, subprocess.TimeoutExpired):
        return "not found"
    match = re.search(r'version "([^"]+)"', printed)
    return match[1] if match else "unknown"


def markdown(report: Report, facts: dict[str, str], at: str) -> str:
    """The whole page."""
    parts = [f"# {report.title}", report.about]
    if report.goals:
        parts.append("\n".join(f"- {goal}" for goal in report.goals))
    for table in report.tables:
        parts.append(f"## {table.title}\n\n{markdown_table(table)}")
    if report.notes:
        parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in report.notes))
    parts.append(f"Measured {at} on: {', '.join(f'{k} {v}' for k, v in facts.items())}.")
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """The table in Markdown; a column whose cells are all numbers (or missing) stands to the right."""
    marks = ["---:" if numeric(table, i) else "---" for i in range(len(table.columns))]
    rows = [[shown(cell).replace("|", "\\|") for cell in row] for row in table.rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [list(table.columns), marks, *rows])


def numeric(table: Table, column: int) -> bool:
    cells = [row[column] for row in table.rows]
    return any(cell is not None for cell in cells) and not any(isinstance(cell, str) for cell in cells)


def show(report: Report, console: Console) -> None:
    """The same tables and verdicts on the screen."""
    for table in report.tables:
        drawn = Shown(title=table.title, box=box.SIMPLE_HEAD, title_justify="left")
        for i, name in enumerate(table.columns):
            drawn.add_column(name, justify="right" if numeric(table, i) else "left")
        for row in table.rows:
            drawn.add_row(*map(shown, row))
        console.print(drawn)
    for goal in report.goals:
        console.print(goal, style="green" if goal.startswith("met") else "yellow", markup=False)


def write(report: Report, facts: dict[str, str], folder: Path = RESULTS) -> Path:
    """Write ``<name>.md`` and ``<name>.json`` and bring the overview up to date; returns the Markdown's path."""
    folder.mkdir(parents=True, exist_ok=True)
    at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    page = folder / f"{report.name}.md"
    page.write_text(markdown(report, facts, at))
    document = asdict(report) | {"measured_at": at, "machine": facts}
    (folder / f"{report.name}.json").write_text(json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n")
    (folder / "README.md").write_text(overview(folder))
    return page


def overview(folder: Path) -> str:
    """One page over all results that stand in the folder: each with its date, its goals and its first table."""
    parts = ["# Measurements", "Made by `./start.sh bench`; each page says what was measured and against which rival."]
    facts: dict[str, str] = {}
    for file in sorted(folder.glob("*.json")):
        document = json.loads(file.read_text())
        facts = document["machine"]
        parts.append(f"## [{document['title']}]({file.stem}.md)\n\nMeasured {document['measured_at']}.")
        if document["goals"]:
            parts.append("\n".join(f"- {goal}" for goal in document["goals"]))
        if document["tables"]:
            first = document["tables"][0]
            parts.append(markdown_table(Table(first["title"], first["columns"], first["rows"])))
    if facts:
        parts.append("## The machine\n\n" + "\n".join(f"- {k}: {v}" for k, v in facts.items()))
    return "\n\n".join(parts) + "\n"
