"""The ground a measurement stands on: an empty stack, two cores for all of it, and the stream as a child of ours.

Everything the stack holds is removed again and again, so none of this may run on the stack `main`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from conf import REPOSITORY, Settings
from conf.connect import clickhouse, s3
from conf.stream_progress import kafka_admin, stream_progress, topic_ends
from infra.local import deploy, parts
from infra.local.errors import Failed, Refused
from infra.local.processes import children
from infra.local.tools import java
from schemas.contract import Contract, find, tables, topics
from schemas.derive.clickhouse import create_database, create_table, qualified

Say = Callable[[str], None]

CORES = 2
TOPIC = "purchases"
RIVAL_PREFIX = "rival"
BRONZE, SILVER, QUARANTINE = "bronze.purchases", "silver.purchase_lines", "quarantine.purchases"


@dataclass(frozen=True)
class Sinks:
    """Where one contender's rows lie: its Delta tables under `settings`, and its two ClickHouse tables."""

    settings: Settings
    silver: str = SILVER
    refused: str = "ops.quarantine"

    def lake(self, name: str) -> str:
        """ClickHouse's own reader of a Delta table."""
        return f"deltaLake(lake, url = '{self.settings.table_url(name)}')"


def rivals(settings: Settings) -> Sinks:
    """The rivals' tables: the same bucket and server, other names."""
    return Sinks(
        settings.model_copy(update={"warehouse_prefix": RIVAL_PREFIX}),
        "staging.rival_purchase_lines",
        "staging.rival_quarantine",
    )


def refuse_main(settings: Settings) -> None:
    """Raises `Refused` where a measurement would wipe what people use."""
    if settings.stack == "main" or settings.profile != "local":
        raise Refused("The measurements wipe their stack: run ./start.sh bench, or set SAUDA_STACK to another name.")


def need_parts(settings: Settings) -> None:
    """Raises `Failed` when Kafka, MinIO or ClickHouse does not answer, or something else streams on this stack."""
    for part in parts.core(settings):
        if trouble := parts.trouble(settings, part):
            raise Failed(
                f"{parts.title(settings, part)} of stack `{settings.stack}`: {trouble}. ./start.sh bench starts it."
            )
    if parts.trouble(settings, "stream") is None:
        raise Failed(f"A stream runs on stack `{settings.stack}`, and would take part: SAUDA_STACK=… ./start.sh down")


def pin(settings: Settings) -> list[int]:
    """Bind this process, its later children and the stack's living threads to `CORES` cores; returns the cores.

    Where the system knows no such thing, nothing is bound and all cores are returned.
    """
    if not hasattr(os, "sched_setaffinity"):
        return list(range(os.cpu_count() or 1))
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)
    for process, _ in children.marked(settings):
        with contextlib.suppress(psutil.Error, OSError):
            # A call for the process would bind its first thread alone.
            for thread in process.threads():
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(thread.id, cores)
    return cores


def clear(settings: Settings, *, topic: bool = True) -> None:
    """Empty lake, ClickHouse tables, checkpoints (Sauda's and the rivals'), the topics and, unless it is to stay, that
    of purchases: the stream reads all of them, also what another measurement has left."""
    refuse_main(settings)
    held = topic_ends(settings)
    for each in topics():
        if topic if each.name == TOPIC else any(held.get(each.name, {}).values()):
            empty_topic(settings, each.name)
    client = s3(settings)
    deploy.create_bucket(settings)
    from minio.deleteobjects import DeleteObject

    for prefix in (settings.warehouse_prefix, RIVAL_PREFIX):
        there = client.list_objects(settings.bucket, prefix=f"{prefix}/", recursive=True)
        for error in client.remove_objects(settings.bucket, (DeleteObject(o.object_name or "") for o in there)):
            raise Failed(f"MinIO does not remove {error.name}: {error.message}")
    deploy.create_tables(settings)
    server = clickhouse(settings)
    server.command(create_database("staging"))
    for contract in tables("silver"):
        if contract.clickhouse is not None:
            server.command(f"TRUNCATE TABLE {qualified(contract.name)}")
    for name, copy, contract in _tables(settings):
        server.command(f"TRUNCATE TABLE {qualified(name)}")
        server.command(f"DROP TABLE IF EXISTS {qualified(copy)} SYNC")
        server.command(create_table(contract, copy))
    server.close()
    for folder in (Path(settings.checkpoints), rival_checkpoints(settings)):
        shutil.rmtree(folder, ignore_errors=True)


def _tables(settings: Settings) -> Iterator[tuple[str, str, Contract]]:
    ours, theirs = Sinks(settings), rivals(settings)
    yield ours.silver, theirs.silver, find(SILVER)
    yield ours.refused, theirs.refused, find("ops.quarantine")


def rival_checkpoints(settings: Settings) -> Path:
    return settings.data / "checkpoints-rival"


def empty_topic(settings: Settings, name: str) -> None:
    """A new topic of the same name: offsets begin at 0. One that no contract declares has two partitions."""
    from confluent_kafka.admin import NewTopic

    admin = kafka_admin(settings)
    deadline = time.monotonic() + 60
    if name in admin.list_topics(timeout=20).topics:
        for future in admin.delete_topics([name], operation_timeout=30).values():
            future.result(timeout=40)
    while name in kafka_admin(settings).list_topics(timeout=20).topics:
        if time.monotonic() > deadline:
            raise Failed("Kafka does not delete the topic.")
        time.sleep(0.2)
    while True:
        # The name is free a moment later than it vanishes.
        with contextlib.suppress(Exception):
            deploy.create_topics(settings)
            if name not in {topic.name for topic in topics()}:
                admin.create_topics([NewTopic(name, 2, 1)])[name].result(timeout=20)
        if name in kafka_admin(settings).list_topics(timeout=20).topics:
            return
        if time.monotonic() > deadline:
            raise Failed("Kafka does not make the topic.")
        time.sleep(0.3)


def held(settings: Settings) -> int:
    """Records in the topic."""
    return sum(topic_ends(settings)[TOPIC].values())


def cpu_seconds(settings: Settings) -> dict[str, float]:
    """By part: the processor time its living processes have used so far. Other people's load does not change it."""
    used: dict[str, float] = {}
    for process, part in children.marked(settings):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            used[part] = used.get(part, 0.0) + times.user + times.system
    return used


class Child:
    """A process of ours with its log. The words after ``python`` name the module and its options."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process, self.log = process, log

    def check(self) -> None:
        """Raises `Failed`, with the log's end, when the process has ended."""
        if self.process.poll() is not None:
            raise Failed(f"{self.log.stem} ended with code {self.process.returncode}:\n{self.tail()}")

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-1500:]


@contextlib.contextmanager
def child(settings: Settings, part: str, *words: str, env: Mapping[str, str] | None = None) -> Iterator[Child]:
    """Run ``python WORDS`` as a part of the stack while the block lasts; its children are gone when it ends."""
    settings.logs.mkdir(parents=True, exist_ok=True)
    log = settings.logs / f"bench-{part}.log"
    environment = children.environment(settings, java.remembered(settings), part) | dict(env or {})
    with log.open("w") as sink, _started([sys.executable, *words], environment, sink) as process:
        child_process = Child(process, log)
        family = psutil.Process(process.pid)
        with children.tracked(process):
            try:
                yield child_process
            finally:
                # Java outlives its Python for a moment, and would hold memory and tables.
                members: list[psutil.Process] = []
                with contextlib.suppress(psutil.Error):
                    members = [family, *family.children(recursive=True)]
                with contextlib.suppress(psutil.Error):
                    family.terminate()
                _, alive = psutil.wait_procs(members, timeout=60)
                children.stop(alive)


def _started(command: list[str], env: Mapping[str, str], sink: IO[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=dict(env), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, text=True
    )


def wait_ready(settings: Settings, stream: Child, seconds: float = 180) -> None:
    """Until the stream says that its queries run."""
    deadline = time.monotonic() + seconds
    while parts.trouble(settings, "stream"):
        stream.check()
        if time.monotonic() > deadline:
            raise Failed(f"The stream is not ready after {seconds:.0f} s:\n{stream.tail()}")
        time.sleep(0.2)


def totals(settings: Settings) -> dict[str, dict[str, Any]]:
    """What each query of the stream says of itself; empty while it does not answer."""
    try:
        answer: Any = stream_progress(settings)["queries"]
    except (OSError, KeyError):
        return {}
    return dict(answer)
