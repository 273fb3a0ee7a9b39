"""Freshness: from the producer's clock to visible in ClickHouse, at fixed rates, Sauda and a rival in turn."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np

from bench import ground
from bench.ground import Child, Say, Sinks, rivals
from bench.report import Report, Table, verdict
from bench.stats import Seen, percentiles, visible_at
from conf import Settings
from conf.connect import clickhouse
from infra.local.errors import Failed

RATES = (20, 1_000, 10_000)
SECONDS, QUICK_SECONDS = 30.0, 8.0
WARM_UP = ((5_000, 5.0), (1_000, 10.0))
POLL_SECONDS = 0.01
PATIENCE_SECONDS = 60.0
SETTLE_SECONDS = 2.0
GOAL_RATE, GOAL_P50, GOAL_P99 = 1_000, 0.15, 0.5
ABOUT = (
    "Events are due at instants fixed before the run (an open model: an event that is sent or shown late counts its "
    "whole delay). An event's age runs from the instant it was due, by the producer's clock, to the end of the first "
    "poll of ClickHouse that showed it or one behind it in its partition. ClickHouse is asked for its count every "
    "{poll:.0f} ms and, when that grew, for the greatest offsets. Sauda runs both lanes; the rival is a Spark "
    "micro-batch each second, same cleaning, that writes Delta (bronze and silver) and then ClickHouse in one "
    "foreachBatch. Each is warmed up for {warm:.0f} s by paced events before the first rate."
)


class Watcher(threading.Thread):
    """Polls while it is entered. `seen` has an entry for each poll that showed more rows than the one before."""

    def __init__(self, settings: Settings, table: str) -> None:
        super().__init__(name="watcher", daemon=True)
        self.settings, self.table = settings, table
        self.seen: list[Seen] = []
        self.polls: list[float] = []
        self.count = 0
        self.error: Exception | None = None
        self._stopping = threading.Event()

    def run(self) -> None:
        try:
            self._watch()
        except Exception as error:
            self.error = error

    def _watch(self) -> None:
        host, port = self.settings.clickhouse
        connection = http.client.HTTPConnection(host, port, timeout=30)
        due = time.monotonic()
        while not self._stopping.is_set():
            # Without FINAL the count is read from the parts' metadata, and costs the server next to nothing.
            count = int(self._ask(connection, f"SELECT count() FROM {self.table}"))
            if count > self.count:
                answer = self._ask(
                    connection, f"SELECT kafka_partition, max(kafka_offset) FROM {self.table} GROUP BY kafka_partition"
                )
                pairs = (line.split("\t") for line in answer.splitlines())
                self.seen.append((time.time(), {int(p): int(o) for p, o in pairs}))
                self.count = count
            self.polls.append(time.time())
            due = max(due + POLL_SECONDS, time.monotonic())
            self._stopping.wait(max(0.0, due - time.monotonic()))
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, sql: str) -> str:
        options = urlencode({"default_format": "TSV", "log_queries": 0, "max_threads": 1})
        headers = {
            "X-ClickHouse-User": self.settings.clickhouse_user,
            "X-ClickHouse-Key": self.settings.clickhouse_secret,
        }
        connection.request("POST", f"/?{options}", sql.encode(), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise Failed(text)
        return text

    def check(self) -> None:
        """Raises what the thread died of."""
        if self.error:
            raise Failed(f"ClickHouse could not be polled: {self.error}")

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.join()


@dataclass(frozen=True)
class Phase:
    """One contender at one rate; `ages`, `late` and `polls` are percentiles in seconds, `busy` is the share of a
    core that the watching itself took (the client's side of it)."""

    contender: str
    rate: int
    events: int
    missing: int
    ages: dict[str, float]
    late: dict[str, float]
    polls: dict[str, float]
    busy: float


def phase(sinks: Sinks, contender: str, rate: int, seconds: float, process: Child) -> Phase:
    """Send at a rate, watch, and tell the ages."""
    run_id, settings = f"b{time.time_ns():x}", sinks.settings
    words = ("--run", run_id, "--rate", str(rate), "--seconds", str(seconds))
    began, used = time.monotonic(), time.process_time()
    with Watcher(settings, sinks.silver) as watcher, ground.child(
        settings, "sender", "-m", "bench.sender", *words
    ) as sender:  # fmt: skip
        _wait_sent(sender, process, seconds)
        measured: dict[str, Any] = json.loads(sender.log.read_text().splitlines()[-1])
        # Before it begins nothing is under way, so the topic and the table agree when all is shown.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while watcher.count < ground.held(settings) and time.monotonic() < deadline:
            process.check()
            watcher.check()
            time.sleep(0.3)
    watcher.check()
    busy = (time.process_time() - used) / (time.monotonic() - began)
    partitions, offsets, due = arrived(sinks, run_id)
    ages = visible_at(watcher.seen, partitions, offsets) - due
    shown = ages[~np.isnan(ages)]
    return Phase(
        contender, rate, measured["events"], measured["events"] - len(shown), percentiles(shown), measured["late"],
        percentiles(np.diff(np.array(watcher.polls))), round(busy, 3),
    )  # fmt: skip


def _wait_sent(sender: Child, process: Child, seconds: float) -> None:
    deadline = time.monotonic() + seconds + PATIENCE_SECONDS
    while sender.process.poll() is None:
        process.check()
        if time.monotonic() > deadline:
            raise Failed(f"The sender does not end:\n{sender.tail()}")
        time.sleep(0.2)
    if sender.process.returncode:
        sender.check()


def arrived(sinks: Sinks, run_id: str) -> tuple[Any, Any, Any]:
    """Partition, offset and due instant (Unix seconds) of a run's events, as ClickHouse holds them."""
    client = clickhouse(sinks.settings)
    rows = client.query_arrow(
        "SELECT kafka_partition, kafka_offset, toUnixTimestamp64Micro(purchased_at) AS due"
        f" FROM {sinks.silver} WHERE startsWith(event_id, %(run)s)",
        {"run": f"{run_id}-"},
    )
    client.close()
    partitions, offsets, due = (rows.column(i).to_numpy() for i in range(3))
    return partitions.astype(np.int64), offsets.astype(np.int64), due / 1e6


@contextmanager
def sauda(settings: Settings, env: Mapping[str, str]) -> Iterator[tuple[Sinks, Child]]:
    """The stream with both lanes."""
    with ground.child(settings, "stream", "-m", "streaming.run", env=env) as stream:
        ground.wait_ready(settings, stream)
        yield Sinks(settings), stream


@contextmanager
def micro_batch(settings: Settings, _: Mapping[str, str]) -> Iterator[tuple[Sinks, Child]]:
    """The rival."""
    with ground.child(settings, "rival", "-m", "bench.rival_microbatch") as rival:
        deadline = time.monotonic() + 180
        while "ready" not in rival.tail():
            rival.check()
            if time.monotonic() > deadline:
                raise Failed(f"The rival does not start:\n{rival.tail()}")
            time.sleep(0.3)
        yield rivals(settings), rival


CONTENDERS = {"Sauda": sauda, "Spark micro-batch, 1 s": micro_batch}


def run(settings: Settings, seconds: float, say: Say, *, env: Mapping[str, str]) -> list[Report]:
    """Measure each contender at each rate."""
    phases: list[Phase] = []
    cores = ground.pin(settings)
    for name, started in CONTENDERS.items():
        ground.clear(settings)
        say(f"{name} starts")
        with started(settings, env) as (sinks, process):
            say("warming up")
            for rate, length in WARM_UP:
                phase(sinks, name, rate, min(length, seconds), process)
            for rate in RATES:
                time.sleep(SETTLE_SECONDS)
                done = phase(sinks, name, rate, seconds, process)
                phases.append(done)
                say(f"{name} at {rate:,}/s: {summary_line(done)}")
    return [report(phases, seconds, len(cores), env)]


def summary_line(done: Phase) -> str:
    """One line on a phase."""
    ages = ", ".join(f"{k} {v:.3f} s" for k, v in done.ages.items()) or "nothing was seen"
    return ages + (f"; {done.missing:,} NOT seen" if done.missing else "")


def middle_and_tail(percentiles_by_name: Mapping[str, float]) -> tuple[float | None, float | None]:
    return percentiles_by_name.get("p50"), percentiles_by_name.get("p99")


def report(phases: Sequence[Phase], seconds: float, cores: int, env: Mapping[str, str]) -> Report:
    """All phases beside one another."""
    warm = sum(length for _, length in WARM_UP)
    about = ABOUT.format(poll=POLL_SECONDS * 1000, warm=warm)
    result = Report("freshness", f"Freshness, {seconds:.0f} s at each rate, {cores} cores", about)
    names = ("p50", "p95", "p99", "max")
    result.tables = [
        Table(
            "Seconds from due to visible",
            ("contender", "events/s", "events", "not seen", *names),
            [(p.contender, p.rate, p.events, p.missing, *(p.ages.get(n) for n in names)) for p in phases],
        ),
        Table(
            "How sharp the picture is, in seconds",
            ("contender", "events/s", "polls apart, p50", "p99", "sent late, p50", "p99", "cores the watching took"),
            [(p.contender, p.rate, *middle_and_tail(p.polls), *middle_and_tail(p.late), p.busy) for p in phases],
        ),
    ]
    ours = next(p for p in phases if p.rate == GOAL_RATE)
    for name, goal in (("p50", GOAL_P50), ("p99", GOAL_P99)):
        ours_seconds = ours.ages.get(name, float("inf"))
        result.goals.append(verdict(f"{name} at {GOAL_RATE:,}/s, s", ours_seconds, goal, at_least=False))
    lost = sum(p.missing for p in phases)
    result.goals.append(f"{'missed' if lost else 'met'}: every event was seen" + (f", but {lost:,}" if lost else ""))
    chosen = ", ".join(f"{k}={v}" for k, v in env.items())
    result.notes = [
        "An age is too long by up to one gap between polls, and by the second query of the poll that showed it.",
        f"Settings of the stream: {chosen or 'the defaults'}.",
    ]
    result.figures = {"phases": [asdict(p) for p in phases]}
    return result
