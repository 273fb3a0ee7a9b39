"""The API: purchases taken a second and how long each waits, beside a bare endpoint that looks at nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench import ground
from bench.report import Report, Table, verdict
from conf import LOOPBACK, REPOSITORY, Settings
from conf.connect import postgres
from infra.local.errors import Failed
from infra.local.processes import children
from infra.local.tools import java
from infra.postgres.upgrade import upgrade
from standins.world.world import SELLERS

RATES = (500, 1_000, 2_000)
SECONDS, QUICK_SECONDS, WARM_SECONDS = 30.0, 4.0, 5.0
STREAM_WARM_SECONDS = 90.0
"""Java compiles for so long, on both cores: whoever is measured first would pay for it, and the other would not."""
BATCH = 100
GOAL_RATE, GOAL_P99 = 2_000, 100.0
RIVALS_TOPIC = "bench-rival"
RIVALS_PORT = 1
"""So much above the API's own."""
ABOUT = (
    "Requests are due at instants fixed before the run (an open model), and a latency runs from there to the last byte "
    "of the answer; 64 connections are kept open. Each request is one purchase of the simulator, answered when Kafka "
    "has acknowledged it; the stream, Kafka, MinIO, ClickHouse, PostgreSQL and the program that sends share the two "
    "cores, and the stream has been at work for a minute and a half, at 500 purchases a second. The rival is FastAPI "
    "and confluent-kafka without keys, rules, limits and ids. As fast as possible means that each connection sends its "
    "next request when the last was answered."
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What one contender made of one rate (0: as fast as possible), and its processor time a purchase."""

    who: str
    rate: float
    batch: int
    measured: Mapping[str, Any]
    cpu_microseconds: float

    @property
    def p99(self) -> float:
        return float(self.measured["milliseconds"].get("p99", 0.0))


def run(settings: Settings, quick: bool, say: Say, env: Mapping[str, str]) -> list[Report]:
    """Measure, on an empty stack with PostgreSQL."""
    seconds = QUICK_SECONDS if quick else SECONDS
    try:
        upgrade(settings)
        with postgres(settings, autocommit=True) as connection:
            for seller_id, _, _ in SELLERS:
                connection.execute(
                    "INSERT INTO shop.sellers (seller_id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    (seller_id, seller_id),
                )
    except Exception as error:
        raise Failed(f"PostgreSQL of stack `{settings.stack}` is needed: {type(error).__name__}.") from None
    ground.clear(settings)
    ground.empty_topic(settings, RIVALS_TOPIC)
    cores = ground.pin(settings)
    runs: list[Run] = []
    with ground.child(settings, "stream", "-m", "streaming.run", env=env) as stream:
        ground.wait_ready(settings, stream)
        who, port, words = next(_contenders(settings))
        with _serving(settings, who, port, words):
            say("the stream warms up")
            _load(settings, who, port, 500, WARM_SECONDS if quick else STREAM_WARM_SECONDS, 1)
        # One after the other: each alone beside the stream.
        for who, port, words in _contenders(settings):
            with _serving(settings, who, port, words):
                _load(settings, who, port, 500, WARM_SECONDS, 1)
                for rate in (*RATES, 0):
                    runs.append(_load(settings, who, port, rate, seconds, 1))
                    say(f"{who}: {runs[-1].measured['rate']:,.0f}/s, p99 {runs[-1].p99:.0f} ms")
                if who == "Sauda":
                    runs.append(_load(settings, who, port, 0, seconds, BATCH))
                    say(f"{who}, batches of {BATCH}: {runs[-1].measured['rate']:,.0f}/s")
    return [_report(runs, len(cores))]


def _contenders(settings: Settings) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    port = settings.port("api")
    yield "Sauda", port, ("-m", "api")
    yield "bare", port + RIVALS_PORT, ("-m", "bench.rival_api", str(port + RIVALS_PORT), RIVALS_TOPIC)


@contextmanager
def _serving(settings: Settings, who: str, port: int, words: tuple[str, ...]) -> Iterator[None]:
    with ground.child(settings, f"api-{who.lower()}", *words) as child:
        deadline = time.monotonic() + 60
        path = "/healthz" if who == "Sauda" else "/openapi.json"
        while True:
            child.check()
            try:
                urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=2).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise Failed(f"{who} does not answer:\n{child.tail()}") from None
                time.sleep(0.2)
        yield


def _load(settings: Settings, who: str, port: int, rate: float, seconds: float, batch: int) -> Run:
    """One run of `bench.load` in its own process. Raises `Failed` where an answer was not 202."""
    path = "/v1/purchases" if batch == 1 else "/v1/purchases:batch"
    words = [f"http://{LOOPBACK}:{port}{path}", str(rate), str(seconds), "64", str(batch)]
    part = f"api-{who.lower()}"
    before = ground.cpu_seconds(settings).get(part, 0.0)
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", *words], cwd=REPOSITORY, text=True, capture_output=True,
        env=children.environment(settings, java.remembered(settings), "load"), input=settings.secrets.api_key,
    )  # fmt: skip
    used = ground.cpu_seconds(settings).get(part, 0.0) - before
    if done.returncode:
        raise Failed(f"The load on {who} failed:\n{done.stderr[-1_500:]}")
    measured = json.loads(done.stdout)
    if set(measured["statuses"]) != {"202"}:
        raise Failed(f"{who} answered {measured['statuses']} at {rate:g} a second.")
    return Run(who, rate, batch, measured, used / max(measured["accepted"], 1) * 1e6)


def _report(runs: list[Run], cores: int) -> Report:
    rows = [
        [each.who, each.batch, each.rate or "as fast as possible", each.measured["rate"],
         *(each.measured["milliseconds"].get(name) for name in ("p50", "p95", "p99", "max")), each.cpu_microseconds]
        for each in runs
    ]  # fmt: skip
    columns = ["contender", "purchases a request", "wanted/s", "taken/s", "p50, ms", "p95, ms", "p99, ms", "max, ms",
               "processor time a purchase, µs"]  # fmt: skip
    ours = {each.rate: each for each in runs if each.who == "Sauda" and each.batch == 1}
    theirs = {each.rate: each for each in runs if each.who == "bare"}
    goals = [
        verdict("purchases a second taken", ours[GOAL_RATE].measured["rate"], GOAL_RATE * 0.99, at_least=True),
        verdict("p99 at that rate, ms", ours[GOAL_RATE].p99, GOAL_P99, at_least=False),
        verdict("times the bare endpoint, as fast as possible",
                ours[0].measured["rate"] / theirs[0].measured["rate"], 0.5, at_least=True),
    ]  # fmt: skip
    figures = {"runs": [{"who": r.who, "rate": r.rate, "batch": r.batch, "cpu_us": r.cpu_microseconds, **r.measured}
                        for r in runs]}  # fmt: skip
    notes = [f"Everything was bound to {cores} cores."]
    table = Table("Purchases", columns, rows)
    return Report("api", "The API, purchases by POST", ABOUT, [table], goals, notes, figures)
