"""Collecting: a world of procurement from its service through the client to Kafka, and on to silver and ClickHouse."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench import ground
from bench.report import Report, Table, verdict
from conf import LOOPBACK, REPOSITORY, Settings
from conf.flow import topic_ends
from infra.local import java, proc
from infra.local.errors import Failed
from schemas.procurement import TOPIC
from schemas.procurement.endpoints import registers

LOTS, QUICK_LOTS = 100_000, 2_000
GOAL = 20_000
RIVALS_TOPIC = "bench-rival"
LARGE = ("/v3/lots", "/v3/trd-buy/all", "/v3/trd-app", "/v3/contract/all", "/v3/plans/all")
ABOUT = (
    "The stand-in serves a seeded world without faults; it, the collector and Kafka share the machine. The collector "
    "walks every register and dictionary to its end (`--full`, pages of 500): rows are cut out of the pages as they "
    "came, each is an event with its id from its content, and a page's place is kept once Kafka has acknowledged it. "
    "The rival is a loop of `requests` and confluent-kafka over the large registers, one request after another. The "
    "stand-in alone is read by a loop that throws the bytes away. At last the stream starts and brings what lies in "
    "Kafka into bronze, twenty silver tables and ClickHouse."
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """Rows, seconds, and resident memory at its most, in megabytes."""

    rows: int
    seconds: float
    peak_mb: int

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def run(settings: Settings, quick: bool, say: Say) -> list[Report]:
    """Measure, on an empty stack."""
    lots = QUICK_LOTS if quick else LOTS
    ground.clear(settings)
    for topic in (TOPIC, RIVALS_TOPIC):
        ground.empty_topic(settings, topic)
    shutil.rmtree(settings.data / "collections", ignore_errors=True)
    at = settings.at_standin()
    token = {"SAUDA_GOSZAKUP_TOKEN": settings.secrets.goszakup_standin}
    words = ("-m", "ingestion.standins.goszakup", "--port", str(settings.port("goszakup_standin")), "--lots", str(lots))
    with ground.child(settings, "standin", *words, env=token) as standin:
        _wait_for(standin, at)
        say(f"a world of {lots:,} lots; the stand-in alone")
        alone = _read(at, LARGE)
        say(f"{alone.rate:,.0f} rows/s; the collector")
        ours = _run(settings, ["ingestion.run", "procurement.goszakup", "--stand-in", "--full", "--json"], "collector")
        say(f"{ours.rate:,.0f} rows/s of {ours.rows:,}; the loop of requests")
        theirs = _run(settings, ["bench.rival_requests", at.goszakup_url, RIVALS_TOPIC, *LARGE], "rival", token)
        say(f"{theirs.rate:,.0f} rows/s; the stream")
    served = _stream(settings, ours.rows)
    say(f"{served:,.0f} s until ClickHouse had all of it")
    return [_report(lots, alone, ours, theirs, served)]


def _wait_for(standin: ground.Child, at: Settings) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        standin.check()
        try:
            _read(at, ("/v3/refs/ref_months",))
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise Failed("The stand-in does not answer.")


def _read(at: Settings, paths: tuple[str, ...]) -> Run:
    """Every page of these registers, thrown away."""
    port = int(at.goszakup_url.rpartition(":")[2])
    headers = {"Authorization": f"Bearer {at.goszakup_secret}"}
    began, rows = time.monotonic(), 0
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=60)) as line:
        for path in paths:
            page = f"{path}?limit=500"
            while page:
                line.request("GET", page, headers=headers)
                body = line.getresponse().read()
                # The envelope stands before the rows, so nothing of them need be read.
                head = json.loads(body[: body.index(b'"items"')].rstrip(b", ") + b"}")
                page = head["next_page"]
                rows += 500
            rows += head["total"] - 500 * -(-head["total"] // 500)
    return Run(rows, time.monotonic() - began, 0)


def _run(settings: Settings, words: list[str], part: str, more: dict[str, str] | None = None) -> Run:
    """A module to its end; it ends with a line of JSON."""
    env = proc.environment(settings, java.remembered(settings), f"bench-{part}") | (more or {})
    began, peak = time.monotonic(), 0
    with subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=REPOSITORY,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        outputs: list[tuple[str, str]] = []
        listener = threading.Thread(target=lambda: outputs.append(process.communicate()))
        listener.start()
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.1)
        listener.join()
    seconds = time.monotonic() - began
    out, err = outputs[0]
    if process.returncode:
        raise Failed(f"{words[0]} ended with code {process.returncode}:\n{out[-500:]}\n{err[-1500:]}")
    told: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return Run(int(told.get("acknowledged", told.get("rows", 0))), float(told.get("seconds", seconds)), peak >> 20)


def _stream(settings: Settings, rows: int) -> float:
    """Seconds from the start of the stream until ClickHouse has everything that the topic held."""
    ends = topic_ends(settings)[TOPIC]
    gap = Path(settings.checkpoints) / "live" / "procurement" / "gap.json"
    began = time.monotonic()
    deadline = began + 300 + rows / 2_000
    with ground.child(settings, "stream", "-m", "streaming.run") as stream:
        while not (gap.exists() and json.loads(gap.read_text())["filled"] == ends):
            stream.check()
            if time.monotonic() > deadline:
                raise Failed(f"The stream does not catch up:\n{stream.tail()}")
            time.sleep(0.3)
    return time.monotonic() - began


def _report(lots: int, alone: Run, ours: Run, theirs: Run, served: float) -> Report:
    table = Table(
        "Rows a second",
        ["contender", "rows", "seconds", "rows/s", "memory at most, MB"],
        [
            ["stand-in alone, bytes thrown away", alone.rows, alone.seconds, alone.rate, None],
            ["Sauda's collector, all registers", ours.rows, ours.seconds, ours.rate, ours.peak_mb],
            ["loop of requests, large registers", theirs.rows, theirs.seconds, theirs.rate, theirs.peak_mb],
            ["on from Kafka to silver and ClickHouse, the stream's start included", ours.rows, served,
             ours.rows / served, None],
        ],
    )  # fmt: skip
    goals = [
        verdict("rows/s from the stand-in through the client to Kafka", ours.rate, GOAL, at_least=True),
        verdict("times the loop of requests", ours.rate / theirs.rate, 1.0, at_least=True),
    ]
    notes = [f"{len(registers())} registers and dictionaries, as every load collects them."]
    figures = {
        "lots": lots, "standin_rate": alone.rate, "collector_rate": ours.rate, "rival_rate": theirs.rate,
        "collector_rows": ours.rows, "collector_peak_mb": ours.peak_mb, "served_seconds": served,
    }  # fmt: skip
    return Report("collect", f"Collecting a world of {lots:,} lots", ABOUT, [table], goals, notes, figures)
