"""The drain: a full topic into bronze, silver, quarantine and ClickHouse, by Sauda and by one Python loop."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import ground, memory
from bench.arrivals import curves
from bench.ground import BRONZE, QUARANTINE, SILVER, Say, Sinks, rivals
from bench.report import Report, Table, verdict
from bench.stats import Curve, second_half_rate
from bench.traffic import Mix, fill
from conf import Settings
from infra.local import clickhouse_http
from infra.local.errors import Failed

RECORDS, QUICK_RECORDS = 3_000_000, 100_000
GOAL_RATIO = 1.2
DATA_PARTS = ("kafka", "minio", "clickhouse")
PATIENCE_SECONDS = 600.0
ABOUT = (
    "A topic full of single-line purchases of about 270 bytes (of every hundred one breaks a rule and one is a second "
    "copy) is brought into bronze, silver and quarantine (Delta on MinIO) and into ClickHouse. Kafka, MinIO, "
    "ClickHouse and the contender share the same {cores} cores. The clock runs from the first batch to the last "
    "commit or insert, as Delta's log and ClickHouse's query log tell. The rival is one Python loop of "
    "confluent-kafka, polars, deltalake and clickhouse-connect in batches of 250,000, with the same rules and "
    "compression. It does not look for duplicates, keeps no state, and would lose or double rows in a crash. Without "
    "headers it does less than is asked: bronze lacks them, and the record's key stands for the event's id."
)


@dataclass
class Outcome:
    """How one contender did. Times are Unix seconds."""

    name: str
    records: int
    process_began: float
    began: float
    ended: float
    steady: float | None
    counts: dict[str, int] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Records a second from the first batch's begin."""
        return self.records / (self.ended - self.began)

    @property
    def cold_rate(self) -> float:
        """Records a second from the process's start, the start of Spark or the imports among it."""
        return self.records / (self.ended - self.process_began)


def counted(sinks: Sinks) -> dict[str, int]:
    """What a contender's tables hold. Distinct events, as the rival leaves copies in."""

    def one(sql: str) -> int:
        try:
            return int(clickhouse_http.rows(sinks.settings, sql)[0][0])
        except clickhouse_http.QueryFailed:
            return -1

    return {
        "bronze records": one(f"SELECT count() FROM {sinks.lake(BRONZE)}"),
        "silver lines": one(f"SELECT count() FROM {sinks.lake(SILVER)}"),
        "silver events": one(f"SELECT uniqExact(event_id) FROM {sinks.lake(SILVER)}"),
        "quarantined": one(f"SELECT count() FROM {sinks.lake(QUARANTINE)}"),
        "ClickHouse lines": one(f"SELECT count() FROM {sinks.silver} FINAL"),
        "ClickHouse quarantined": one(f"SELECT count() FROM {sinks.refused} FINAL"),
    }


def expected(mix: Mix, *, copies_stay: bool) -> dict[str, int]:
    """What must be there in the end."""
    return {
        "bronze records": mix.records,
        "silver lines": mix.accepted + (mix.copies if copies_stay else 0),
        "silver events": mix.accepted,
        "quarantined": mix.refused,
        "ClickHouse lines": mix.accepted,
        "ClickHouse quarantined": mix.refused,
    }


def differing(actual: Mapping[str, int], wanted: Mapping[str, int]) -> str:
    """A sentence on what differs; empty where nothing does."""
    return ", ".join(f"{k} {actual.get(k, -1):,} (expected {v:,})" for k, v in wanted.items() if actual.get(k, -1) != v)


def sauda(settings: Settings, mix: Mix, say: Say, env: Mapping[str, str]) -> tuple[Outcome, memory.Sampler]:
    """Start the stream on the full topic and wait until everything is held."""
    sinks, wanted, before = Sinks(settings), expected(mix, copies_stay=False), ground.cpu_seconds(settings)
    with memory.Sampler(settings) as sampler:
        started = time.time()
        with ground.child(settings, "stream", "-m", "streaming.run", env=env) as stream:
            _wait_read(settings, stream, mix.records, say)
            began = first_batch(settings)
            _wait_rows(sinks, wanted)
            used = _used(before, ground.cpu_seconds(settings))
            say("all is there; counting")
            settled = _settled(sinks, wanted)
        filled = curves(sinks, started)
    outcome = _outcome("Sauda", mix, started, began, filled, settled)
    outcome.cpu = used
    return outcome, sampler


def _used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {part: round(seconds - before.get(part, 0.0), 1) for part, seconds in sorted(after.items())}


def first_batch(settings: Settings) -> float:
    """When the first batch of either lane with something to do began: Spark notes its offsets before anything else."""
    notes = Path(settings.checkpoints).glob("*/purchases/spark/offsets/0")
    return min(note.stat().st_mtime for note in notes)


def _wait_read(settings: Settings, stream: ground.Child, records: int, say: Say) -> None:
    deadline, reported = time.monotonic() + PATIENCE_SECONDS, 0.0
    while True:
        stream.check()
        read = {name: int(query["read_total"]) for name, query in ground.totals(settings).items()}
        # The live lane steps over a backlog: ClickHouse has that from the lake.
        if sum(count for name, count in read.items() if name.startswith("lake:")) >= records:
            return
        if time.monotonic() > deadline:
            raise Failed(f"The stream has read {read} of {records:,} after {PATIENCE_SECONDS:.0f} s:\n{stream.tail()}")
        if read and time.monotonic() - reported > 5:
            reported = time.monotonic()
            say(", ".join(f"{name} {count:,}" for name, count in sorted(read.items())))
        time.sleep(0.5)


def _settled(sinks: Sinks, wanted: Mapping[str, int]) -> dict[str, int]:
    """The counts, as soon as they are what they must be; the last ones seen when they do not become that."""
    counts: dict[str, int] = {}
    for _ in range(10):
        counts = counted(sinks)
        if not differing(counts, wanted):
            break
        time.sleep(2)
    return counts


def _wait_rows(sinks: Sinks, wanted: Mapping[str, int]) -> None:
    """Until ClickHouse has the rows, or patience ends. Asking is cheap: without FINAL it is read from metadata."""
    patience = time.monotonic() + PATIENCE_SECONDS / 4
    while time.monotonic() < patience:
        if (
            int(clickhouse_http.rows(sinks.settings, f"SELECT count() FROM {sinks.silver}")[0][0])
            >= wanted["ClickHouse lines"]
        ):
            return
        time.sleep(0.5)


def python_loop(settings: Settings, mix: Mix, say: Say, *, headers: bool) -> Outcome:
    """The rival, in a process of its own."""
    sinks, started, before = rivals(settings), time.time(), ground.cpu_seconds(settings)
    option = "--headers" if headers else "--no-headers"
    env = {"POLARS_MAX_THREADS": str(ground.CORES)}
    with ground.child(settings, "rival", "-m", "bench.rival", option, env=env) as loop:
        while loop.process.poll() is None:
            time.sleep(0.5)
            if time.time() - started > PATIENCE_SECONDS:
                raise Failed(f"The rival does not end:\n{loop.tail()}")
        if loop.process.returncode:
            loop.check()
        measured = json.loads(loop.log.read_text().splitlines()[-1])
    used = _used(before, ground.cpu_seconds(settings)) | {"rival": measured["cpu"]}
    say("all is there; counting")
    settled = _settled(sinks, expected(mix, copies_stay=True))
    name = "Python loop" if headers else "Python loop, no headers kept"
    outcome = _outcome(name, mix, started, measured["began"], curves(sinks, started), settled)
    outcome.spent, outcome.cpu = measured["spent"], used
    return outcome


def _outcome(
    name: str, mix: Mix, started: float, began: float, filled: Sequence[Curve], counts: dict[str, int]
) -> Outcome:
    ended = max((curve.end for curve in filled if curve.points), default=time.time())
    return Outcome(name, mix.records, started, began, ended, second_half_rate(filled, mix.records), counts)


def run(settings: Settings, records: int, say: Say, *, env: Mapping[str, str], rival: bool = True) -> list[Report]:
    """Fill, drain, drain by the rival; returns the reports on the drain and on memory. Without rival, memory alone."""
    mix = Mix(records)
    ground.clear(settings)
    cores = ground.pin(settings)
    say(f"filling the topic with {records:,} records")
    say(f"filled in {fill(settings, mix, say):.0f} s; now Sauda")
    ours, sampler = sauda(settings, mix, say, env)
    say(f"Sauda: {ours.rate:,.0f} records/s")
    on_memory = memory.report(sampler.peaks, sampler.together, f"the drain of {records:,} records")
    if not rival:
        return [on_memory]
    loop = python_loop(settings, mix, say, headers=True)
    say(f"{loop.name}: {loop.rate:,.0f} records/s")
    ground.clear(settings, topic=False)
    bare = python_loop(settings, mix, say, headers=False)
    say(f"{bare.name}: {bare.rate:,.0f} records/s")
    return [report([ours, loop, bare], mix, len(cores), env), on_memory]


def report(outcomes: Sequence[Outcome], mix: Mix, cores: int, env: Mapping[str, str]) -> Report:
    """Sauda is the first of the outcomes, its rival the second; others are shown beside them."""
    ours, rival = outcomes[0], outcomes[1]
    result = Report("drain", f"Drain of {mix.records:,} records", ABOUT.format(cores=cores))
    result.tables = [
        Table(
            "Records a second",
            ("contender", "records/s", "second half", "from process start", "seconds", "Sauda's rate over it"),
            [
                (o.name, round(o.rate), o.steady and round(o.steady), round(o.cold_rate), round(o.ended - o.began, 1),
                 None if o is ours else round(ours.rate / o.rate, 2))
                for o in outcomes
            ],
        ),
        Table(
            "Processor seconds, start of the process included",
            ("contender", "itself", "Kafka", "MinIO", "ClickHouse", "a million records"),
            [
                (o.name, o.cpu.get("stream", 0.0) + o.cpu.get("rival", 0.0), *(o.cpu.get(part) for part in DATA_PARTS),
                 round(sum(o.cpu.values()) / o.records * 1e6, 1))
                for o in outcomes
            ],
        ),
        Table(
            "What the tables hold in the end",
            ("", "expected", *(o.name for o in outcomes)),
            [(k, v, *(o.counts.get(k) for o in outcomes)) for k, v in expected(mix, copies_stay=False).items()],
        ),
    ]  # fmt: skip
    ratio = ours.rate / rival.rate
    result.goals = [verdict(f"Sauda's rate over the {rival.name}'s", ratio, GOAL_RATIO, at_least=True)]
    for outcome in outcomes:
        wrong = differing(outcome.counts, expected(mix, copies_stay=outcome is not ours))
        result.goals.append(
            f"{'missed' if wrong else 'met'}: {outcome.name} holds what was sent{': ' + wrong if wrong else ''}"
        )
        if outcome.spent:
            steps = ", ".join(f"{k} {v:.1f} s" for k, v in outcome.spent.items())
            result.notes.append(f"{outcome.name}, where its time went: {steps}.")
    result.notes.append("The Python loop's silver lines hold the second copies too; its events do not.")
    chosen = ", ".join(f"{k}={v}" for k, v in env.items())
    result.notes.append(f"Settings of the stream: {chosen or 'the defaults'}.")
    result.figures = {
        "ratio": ratio,
        "outcomes": [asdict(o) | {"rate": o.rate, "cold_rate": o.cold_rate} for o in outcomes],
    }
    return result
