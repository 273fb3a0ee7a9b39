"""Collecting: a world of procurement from its service through the client to Kafka, and on to silver and ClickHouse."""

from __future__ import annotations

import http.client
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import ground
from bench.collect_client import QUARTERS, Run, event_ids, killed, repeated, watched
from bench.report import Report, Table, verdict
from conf import LOOPBACK, Settings
from conf.domains.procurement import ProcurementSettings
from conf.stream_progress import topic_ends
from infra.local.errors import Failed
from schemas.procurement import TOPIC
from schemas.procurement.endpoints import registers

LOTS, QUICK_LOTS = (10_000, 110_000), (500, 2_000)
"""A small and a large world. The large one has about a million rows in all registers."""
GOAL, GROWTH = 20_000, 1.25
PAGE = 500
RIVALS_TOPIC = "bench-rival"
PATHS = tuple(endpoint.path for endpoint in registers())
COLLECTOR = ("ingestion.core.run", "procurement.goszakup", "--stand-in", "--full", "--json")
ABOUT = (
    "The stand-in serves a seeded world without faults; it, the collector and Kafka share the machine. The collector "
    "walks every register and dictionary to its end (`--full`, pages of 500): rows are cut out of the pages as they "
    "came, each is an event with its id from its content, and a page's place is kept once Kafka has acknowledged it. "
    "The rival is a loop of `requests` and confluent-kafka over the same registers, one request after another. The "
    "stand-in alone is read by a loop that throws the bytes away. Memory is what the collector's process has resident, "
    "when so many of its rows are in Kafka, in a small world and in the large one. Once the collector is ended with "
    "kill -9 at half of the rows and started again, and the events that are in Kafka twice are counted. At last the "
    "stream starts and brings what lies in Kafka into bronze, twenty silver tables and ClickHouse."
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Kill:
    """Rows in Kafka at the kill, rows that the next run sent, and by register those that came again."""

    there: int
    rest: int
    again: dict[str, int]


def run(settings: Settings, quick: bool, say: Say) -> list[Report]:
    """Measure, on an empty stack."""
    few, lots = QUICK_LOTS if quick else LOTS
    ground.clear(settings)
    token = {"SAUDA_GOSZAKUP_TOKEN": settings.secret("goszakup_standin")}
    with _world(settings, few):
        say(f"a world of {few:,} lots; the collector")
        small = _collected(settings)
    with _world(settings, lots) as at:
        say(f"{small.rows:,} rows. A world of {lots:,} lots; the stand-in alone")
        alone = _read(at, PATHS)
        say(f"{alone.rate:,.0f} rows/s; the collector, killed at half of it and started again")
        _forget(settings)
        there = killed(settings, COLLECTOR, TOPIC, alone.rows // 2)
        resumed = watched(settings, COLLECTOR, "resumed")
        again = repeated(event_ids(settings, TOPIC))
        say(f"killed at {there:,} rows; {sum(again.values()):,} came again. The collector in one go")
        ours = _collected(settings)
        say(f"{ours.rate:,.0f} rows/s of {ours.rows:,}; the loop of requests")
        ground.empty_topic(settings, RIVALS_TOPIC)
        theirs = watched(settings, ["bench.rival_requests", at.goszakup_url, RIVALS_TOPIC, *PATHS], "rival", token)
        say(f"{theirs.rate:,.0f} rows/s; the stream")
    served = _stream(settings, ours.rows)
    say(f"{served:,.0f} s until ClickHouse had all of it")
    return [_report(lots, alone, small, ours, theirs, served, Kill(there, resumed.rows, again))]


@contextmanager
def _world(settings: Settings, lots: int) -> Iterator[ProcurementSettings]:
    """A stand-in with a world of this size; the settings to ask it with."""
    at = ProcurementSettings.of(settings.at_standin())
    token = {"SAUDA_GOSZAKUP_TOKEN": settings.secret("goszakup_standin")}
    words = ("-m", "standins.goszakup", "--port", str(settings.port("goszakup_standin")), "--lots", str(lots))
    with ground.child(settings, "standin", *words, env=token) as standin:
        _wait_for(standin, at)
        yield at


def _forget(settings: Settings) -> None:
    """As before the first load: an empty topic, and nothing known of any register."""
    ground.empty_topic(settings, TOPIC)
    shutil.rmtree(settings.data / "collections", ignore_errors=True)


def _collected(settings: Settings) -> Run:
    _forget(settings)
    return watched(settings, COLLECTOR, "collector", topic=TOPIC)


def _wait_for(standin: ground.Child, at: ProcurementSettings) -> None:
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


def _read(at: ProcurementSettings, paths: tuple[str, ...]) -> Run:
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
    return Run(rows, time.monotonic() - began)


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


def _report(
    lots: int, alone: Run, small: Run, ours: Run, theirs: Run, served: float, kill: Kill
) -> Report:  # fmt: skip
    table = Table(
        "Rows a second",
        ["contender", "rows", "seconds", "rows/s", "memory at most, MB"],
        [
            ["stand-in alone, bytes thrown away", alone.rows, alone.seconds, alone.rate, None],
            ["Sauda's collector", ours.rows, ours.seconds, ours.rate, ours.peak_mb],
            ["loop of requests", theirs.rows, theirs.seconds, theirs.rate, theirs.peak_mb],
            ["on from Kafka to silver and ClickHouse, the stream's start included", ours.rows, served,
             ours.rows / served, None],
        ],
    )  # fmt: skip
    memory = Table(
        "Memory of the collector, MB",
        ["rows", *(f"after {share} %" for share in QUARTERS), "at most"],
        [[each.rows, *(each.quarters_mb or [None] * len(QUARTERS)), each.peak_mb] for each in (small, ours)],
    )
    resumed = Table(
        "After kill -9 at half of the rows",
        ["register", "rows that came again"],
        [[name, rows] for name, rows in sorted(kill.again.items())] or [["none", 0]],
    )
    most = max(kill.again.values(), default=0)
    goals = [
        verdict("rows/s from the stand-in through the client to Kafka", ours.rate, GOAL, at_least=True),
        verdict("times the loop of requests", ours.rate / theirs.rate, 1.0, at_least=True),
        verdict("rows of one register that came again after a kill -9", most, PAGE, at_least=False),
    ]
    if len(ours.quarters_mb) == len(QUARTERS):
        growth = ours.quarters_mb[-1] / max(1, ours.quarters_mb[0])
        goals.append(verdict("times the memory of the first quarter at the end", growth, GROWTH, at_least=False))
    notes = [
        f"{len(PATHS)} registers and dictionaries, as every load collects them; the rival reads the same.",
        f"Killed with {kill.there:,} rows in Kafka; the run after it brought {kill.rest:,}.",
    ]
    figures = {
        "lots": lots, "standin_rate": alone.rate, "collector_rate": ours.rate, "rival_rate": theirs.rate,
        "collector_rows": ours.rows, "collector_peak_mb": ours.peak_mb, "served_seconds": served,
        "collector_quarters_mb": ours.quarters_mb, "small_rows": small.rows, "small_peak_mb": small.peak_mb,
        "repeated_rows": kill.again,
    }  # fmt: skip
    return Report(
        "collect", f"Collecting a world of {lots:,} lots", ABOUT, [table, memory, resumed], goals, notes, figures
    )
