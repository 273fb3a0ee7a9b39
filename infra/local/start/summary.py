"""The chapters of a start, shown at its end: what each did, its figures, how long it took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from conf import Settings
from infra.local.errors import Failed
from infra.local.parts import declared
from schemas.contract import tables

TOPICS, LIVE_ANSWER = "Topics", "First live answer"
QUERIES, NIGHTLY, STAGE, ALIVE = "Streaming queries", "Nightly jobs", "Stage layer", "Page alive"


@dataclass(frozen=True)
class Chapter:
    """One line of the summary, its place among them, and the titles of the steps that make it up."""

    order: int
    title: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """How a chapter went; `seconds` is None where it was not done."""

    title: str
    figure: str
    seconds: float | None


def chapters(settings: Settings, parts: Sequence[str], of_domains: Iterable[Chapter]) -> list[Chapter]:
    """The chapters of a start that begins these parts, with those of the domains."""
    titles = {name: part.title for name, part in declared(settings).items()}
    stream = titles["stream"]
    shared = [
        Chapter(10, "Parts started", tuple(titles[name] for name in parts if name != "stream")),
        Chapter(20, "Kafka topics made", (TOPICS,)),
        Chapter(50, "Spark streaming started", (stream, QUERIES)),
        Chapter(70, "Data of the stage layer processed", (STAGE,)),
    ]
    return sorted([*shared, *of_domains], key=lambda chapter: chapter.order)


def lines(chapters: Sequence[Chapter], timings: Mapping[str, float], remarks: Mapping[str, str]) -> list[Line]:
    """What became of each. Steps of a chapter run side by side, or wait for a slower one: the slowest counts."""
    rows = []
    for number, chapter in enumerate(chapters):
        if not all(step in timings for step in chapter.steps):
            rows.append(Line(chapter.title, "not done", None))
            continue
        figure = ", ".join(remarks[step] for step in chapter.steps if step in remarks)
        if number == 0:
            figure = "1 part answers" if len(chapter.steps) == 1 else f"{len(chapter.steps)} parts answer"
        rows.append(Line(chapter.title, figure, max((timings[step] for step in chapter.steps), default=0.0)))
    return rows


def show(rows: Sequence[Line], console: Console) -> None:
    """A line each."""
    table = Table.grid(padding=(0, 2))
    for justify in ("left", "left", "left", "right"):
        table.add_column(justify=justify)
    for number, line in enumerate(rows, 1):
        mark = "[red]✗[/]" if line.seconds is None else "[green]✓[/]"
        seconds = "" if line.seconds is None else f"[dim]{line.seconds:.1f} s[/]"
        table.add_row(f"{mark} {number}/{len(rows)}", line.title, escape(line.figure), seconds)
    console.print("[bold]What was done[/]")
    console.print(table)


def staged(nightly: Mapping[str, Any]) -> tuple[str, float]:
    """What the nightly jobs loaded from the stage layer, by their own account, and the seconds that it took.

    `Failed` where they loaded nothing of it.
    """
    ours = {table.name for table in tables(layer="silver") if any(s.layer == "stage" for s in table.built_from)}
    loaded = [run for run in nightly["tables"] if run["table"] in ours]
    if not loaded:
        raise Failed("The nightly jobs loaded nothing of the stage layer.")
    remark = ", ".join(f"{run['table']} {run['rows']:,} rows" for run in loaded)
    return remark, sum(float(run["seconds"]) for run in loaded)
