"""``./start.sh status``: what runs, and how it fares."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import click
import psutil
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from conf import Settings, disk
from conf.stream_progress import lag, stream_progress, topic_ends
from infra.local import collection_speed, figures, parts
from infra.local.command_line import current, out
from infra.local.parts import trouble
from infra.local.processes.supervisor import STOPPED_FOR_DISK, Supervisor

QUERY_COLUMNS = (
    *("rows_per_second", "lag_events", "batch_seconds"),
    *("accepted_total", "superseded_total", "refused_total", "duplicates_total"),
)

LAG = QUERY_COLUMNS.index("lag_events")
SHOWN_CHECKS = 5
UNSUPERVISED = "unsupervised"
NO_SUPERVISOR = "The supervisor is gone: parts that end stay away. ./start.sh starts it again, and them."


@dataclass(frozen=True)
class PartStatus:
    """A part as the supervisor and the kernel see it."""

    name: str
    title: str
    state: str
    pid: int | None
    uptime_seconds: int
    memory_mb: int
    restarts: int
    trouble: str | None


def memory_mb(pid: int) -> int:
    """Resident memory of a process and its children; 0 when it is gone."""
    total = 0
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    for process in family:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return round(total / 2**20)


def part_statuses(settings: Settings) -> list[PartStatus]:
    """The parts, running or not; those that live without the supervisor are `unsupervised`."""
    supervisor = Supervisor(settings)
    info = supervisor.info()
    restarts = supervisor.restarts() if info else {}
    alone = {} if info else supervisor.unsupervised()

    def look(part: parts.Part) -> PartStatus:
        name = part.name
        entry = info.get(name, {})
        running = entry.get("statename") in ("RUNNING", "STARTING")
        pid = int(entry["pid"]) if running and entry["pid"] else None
        started, state = entry.get("start", 0), str(entry.get("statename", "STOPPED")).lower()
        if name in alone:
            with contextlib.suppress(psutil.Error):
                pid, state, started = alone[name].pid, UNSUPERVISED, alone[name].create_time()
        return PartStatus(
            name=name,
            title=part.title,
            state=state,
            pid=pid,
            uptime_seconds=max(0, int(time.time() - started)) if pid else 0,
            memory_mb=memory_mb(pid) if pid else 0,
            restarts=restarts.get(name, 0),
            trouble=trouble(settings, name) if pid else None,
        )

    # Side by side: a part that hangs keeps its probe waiting for seconds.
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(look, parts.here(settings).values()))


def gather(settings: Settings) -> dict[str, Any]:
    """Everything that `status --json` prints."""
    with ThreadPoolExecutor(4) as pool:
        looked = pool.submit(part_statuses, settings)
        counts = pool.submit(figures.all_counts, settings)
        checks = pool.submit(figures.stopped_checks, settings)
        progress: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            progress = stream_progress(settings)
        is_kafka_up = not trouble(settings, "kafka")
        statuses = looked.result()
        return {
            "stack": settings.stack,
            "parts": [asdict(status) for status in statuses],
            "warnings": warnings(settings, [status.state for status in statuses]),
            "queries": measured(settings, progress.get("queries", {}), is_kafka_up=is_kafka_up),
            "fills": measured(settings, progress.get("fills", {}), is_kafka_up=is_kafka_up),
            "collections": collection_speed.running(settings),
            "counts": counts.result(),
            "stopped_checks": checks.result(),
        }


def warnings(settings: Settings, states: Sequence[str]) -> list[str]:
    """What concerns the whole stack, a sentence each."""
    sentences = [NO_SUPERVISOR] if UNSUPERVISED in states else []
    if full := disk.shortage(settings):
        sentences.append(full)
        if (settings.run / STOPPED_FOR_DISK).exists():
            sentences.append("Kafka and the streams are stopped until then, and come back by themselves.")
    return sentences


def measured(settings: Settings, queries: dict[str, Any], *, is_kafka_up: bool) -> dict[str, Any]:
    """The queries with their lag by what Kafka has now; None where it is not known, which is not 0.

    What the stream says itself is as old as its last batch, and of the time before it knows nothing.
    """
    ends: dict[str, dict[str, int]] = {}
    if is_kafka_up:
        # Whatever Kafka's client raises means that it does not know.
        with contextlib.suppress(Exception):
            ends = topic_ends(settings, sorted({query["topic"] for query in queries.values()}))
    return {name: query | {"lag_events": lag(query, ends)} for name, query in queries.items()}


def show(state: dict[str, Any], console: Console) -> None:
    """The same for people."""
    table = Table("part", "state", box=box.SIMPLE_HEAD)
    for heading in ("pid", "up", "memory", "restarts"):
        table.add_column(heading, justify="right")
    for part in state["parts"]:
        healthy = part["state"] == "running" and not part["trouble"]
        color = "green" if healthy else "dim" if part["state"] == "stopped" else "red"
        condition = part["state"] if not part["trouble"] else f"{part['state']}, {part['trouble']}"
        table.add_row(
            part["title"],
            f"[{color}]{condition}[/]",
            str(part["pid"] or ""),
            span(part["uptime_seconds"]) if part["pid"] else "",
            f"{part['memory_mb']:,} MB" if part["pid"] else "",
            str(part["restarts"]) if part["pid"] else "",
        )
    total = sum(part["memory_mb"] for part in state["parts"])
    console.print(table)
    console.print(f"[dim]stack {state['stack']}, {total:,} MB in all[/]")
    for sentence in state.get("warnings", []):
        console.print(f"[red]{escape(sentence)}[/]", soft_wrap=True)
    if state["queries"]:
        table = Table("query", "state", box=box.SIMPLE_HEAD)
        for column in QUERY_COLUMNS:
            table.add_column(column.removesuffix("_total").replace("_", " "), justify="right")
        for name, query in state["queries"].items():
            cells = [_number(query.get(column)) for column in QUERY_COLUMNS]
            cells[LAG] = cells[LAG] or "unknown"
            table.add_row(name, str(query.get("state", "")), *cells)
        for name, fill in state.get("fills", {}).items():
            if fill.get("lag_events") or name.removeprefix("fill:") not in _live(state["queries"]):
                table.add_row(name, "from the lake", "", _number(fill.get("lag_events")) or "unknown", *[""] * 4)
        console.print(table)
    for sentence in faults({**state["queries"], **state.get("fills", {})}):
        console.print(f"[red]{escape(sentence)}[/]", soft_wrap=True)
    for pace in state.get("collections", ()):
        console.print(collection_speed.sentence(pace), markup=False, soft_wrap=True)
    if state["counts"]:
        table = Table("rows of", box=box.SIMPLE_HEAD)
        table.add_column("count", justify="right")
        for name, count in state["counts"].items():
            table.add_row(name.replace("_", " "), f"{count:,}")
        console.print(table)
    for sentence in state["stopped_checks"][:SHOWN_CHECKS]:
        console.print(f"[red]Stopped by a check:[/] {escape(sentence)}")
    if state["stopped_checks"]:
        console.print("[dim]All that checks found: SELECT * FROM ops.latest_checks[/]")


def faults(queries: dict[str, Any]) -> list[str]:
    """Why queries do not run, each sentence once, with the names of those that it keeps."""
    names: dict[str, list[str]] = {}
    for name, query in queries.items():
        if query.get("error") and query.get("state") != "running":
            names.setdefault(query["error"], []).append(name)
    return [f"{', '.join(sorted(kept))}: {error}" for error, kept in names.items()]


def _live(queries: Iterable[str]) -> set[str]:
    """The domains that have a live lane."""
    return {name.removeprefix("live:") for name in queries if name.startswith("live:")}


def _number(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and abs(value) < 100:
        return f"{value:,.2f}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def span(seconds: int) -> str:
    """``3723`` → ``1 h 02 min``."""
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(as_json: bool) -> None:
    """Show the parts, the streaming queries and the row counts."""
    state = gather(current())
    if as_json:
        click.echo(json.dumps(state, indent=1))
    else:
        show(state, out())
