"""The seven steps of a start, shown at its end: what each did, its figures, how long it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from conf import Settings
from infra.local.errors import Failed
from infra.local.parts import declared
from schemas.contract import tables

TOPICS, SENT, CUSTOMERS, PRODUCTS = "Topics", "Purchases sent", "Customers from PostgreSQL to S3", "Products to S3"
LIVE_ANSWER = "First live answer"
QUERIES, NIGHTLY, STAGE, ALIVE = "Streaming queries", "Nightly jobs", "Stage layer", "Page alive"
FILE = "products.parquet"


@dataclass(frozen=True)
class Chapter:
    """One of the seven, and the titles of the steps that make it up."""

    title: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """How a chapter went; `seconds` is None where it was not done."""

    title: str
    figure: str
    seconds: float | None


def seven(settings: Settings, parts: Sequence[str]) -> list[Chapter]:
    """The seven steps of a start that begins these parts."""
    titles = {name: part.title for name, part in declared(settings).items()}
    stream = titles["stream"]
    return [
        Chapter("Parts started", tuple(titles[name] for name in parts if name != "stream")),
        Chapter("Kafka topics made", (TOPICS,)),
        Chapter("Test messages sent to Kafka", (SENT,)),
        Chapter("Customers from PostgreSQL to S3", (CUSTOMERS,)),
        Chapter("Spark streaming started", (stream, QUERIES)),
        Chapter("products.parquet to S3", (PRODUCTS,)),
        Chapter("Data of the stage layer processed", (STAGE,)),
    ]


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
    console.print("[bold]The seven steps[/]")
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


def products(account: Mapping[str, Any]) -> str:
    """What became of the simulated file, by the account of `shop.products`; others may have waited beside it."""
    outcome = next((each for each in account["files"] if each["file"] == FILE), None)
    if outcome is None:
        raise Failed(f"{FILE} was dropped into the bucket, and shop.products did not report it.")
    rows = f"{outcome['rows']:,} rows"
    return f"{FILE}, {'taken before' if outcome['became'] == 'seen' else rows}"
