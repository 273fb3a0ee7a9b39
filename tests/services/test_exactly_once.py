"""Every acknowledged event is in silver or in quarantine, once, in the lake and in ClickHouse, whatever dies."""

from __future__ import annotations

import secrets
from pathlib import Path
from random import Random

import pytest

from tests.support.judge import Judge
from tests.support.stream import Parts, Stream, simulate
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

# Ids of an earlier session on the same stack would be taken for copies.
SESSION = secrets.token_hex(3)
DIRTY = ("--duplicates", "0.01", "--poison", "0.01")
SHORT = 60


def send(run_id: str, ledger: Path, *options: str, wait: bool = True):  # type: ignore[no-untyped-def]
    process = simulate(*DIRTY, *options, ledger=ledger, run_id=run_id)
    if wait:
        assert process.wait(120) == 0
    return process


def test_copies_and_poison_of_every_kind_are_told_apart(stream: Stream, judge: Judge, tmp_path: Path) -> None:
    run, ledger = f"dirty{SESSION}", tmp_path / "ledger"
    send(run, ledger, "--events", "6000", "--seed", "11", "--poison", "0.05", "--oversized", "2")
    stream.start()
    stream.wait_ready()
    told = judge.wait_and_judge(run, ledger)
    assert told.copies >= 40
    assert len({e.expected_rule for e in told.poison.values()}) >= 10
    assert any(e.expected_rule == "record.oversized" for e in told.poison.values())


def test_kill_of_the_stream_in_mid_drain(stream: Stream, judge: Judge, tmp_path: Path) -> None:
    """Three times over, so that a drain also begins with what the last one left half done."""
    stream.stop()
    runs = {f"kill{seed}{SESSION}": tmp_path / f"ledger{seed}" for seed in (1, 2, 3)}
    for seed, (run, ledger) in enumerate(runs.items(), start=1):
        send(run, ledger, "--events", "30000", "--seed", str(seed), "--single-line")
        # The lane and the batch are drawn from the seed: the drain is at another place each time.
        random = Random(seed)
        begun = stream.batch_begun(random.choice(["live", "lake"]), random.randrange(3))
        stream.start(lake_batch_events=6_000)
        until("the batch to begin", begun.exists, pause=0.01)
        stream.kill()
    stream.start()
    for run, ledger in runs.items():
        judge.wait_and_judge(run, ledger)


def test_death_right_after_each_write(stream: Stream, judge: Judge, tmp_path: Path) -> None:
    """It dies after a write that its checkpoint does not know of yet; each start finds what the last death left."""
    steps = (
        "live.silver.purchase_lines:2",
        "live.ops.quarantine:1",
        "lake.bronze.purchases:1",
        "lake.silver.purchase_lines:1",
        "lake.quarantine.purchases:1",
    )
    stream.stop()
    runs = {f"after-{step.replace(':', '-')}{SESSION}": tmp_path / step for step in steps}
    for seed, (step, (run, ledger)) in enumerate(zip(steps, runs.items(), strict=True)):
        send(run, ledger, "--events", "5000", "--seed", str(seed), "--poison", "0.02")
        stream.start(die_after=step)
        stream.wait_dead()
    stream.start()
    for run, ledger in runs.items():
        judge.wait_and_judge(run, ledger)


def test_a_backlog_reaches_clickhouse_by_way_of_the_lake(stream: Stream, judge: Judge, tmp_path: Path) -> None:
    run, ledger = f"backlog{SESSION}", tmp_path / "ledger"
    stream.stop()
    send(run, ledger, "--events", "20000", "--seed", "6", "--single-line")
    # It dies between a fill and its note, so that the fill is done twice.
    stream.start(die_after="fill.loaded:1", lake_batch_events=6_000, backlog=5_000)
    stream.wait_dead()
    stream.start(lake_batch_events=6_000, backlog=5_000)
    judge.wait_and_judge(run, ledger)
    live = stream.progress()["queries"]["live:purchases"]
    assert live["read_total"] < 5_000, "the live lane was to leave the backlog to the lake"


@pytest.mark.parametrize("part", ["kafka", "minio", "clickhouse"])
def test_kill_of_a_part_while_data_flows(stream: Stream, parts: Parts, judge: Judge, tmp_path: Path, part: str) -> None:
    run, ledger = f"part-{part}{SESSION}", tmp_path / "ledger"
    stream.start()
    stream.wait_ready()
    sender = send(run, ledger, "--events", "12000", "--seed", "9", "--rate", "800", wait=False)
    until("events to flow", lambda: ledger.exists() and ledger.stat().st_size > 300_000, SHORT)
    parts.kill(part)
    # Its own exit code may say that some were not acknowledged; the ledger says which.
    sender.wait(180)
    judge.wait_and_judge(run, ledger, seconds=240)


def test_a_second_stream_is_refused_by_name(stream: Stream, chosen) -> None:  # type: ignore[no-untyped-def]
    stream.start()
    stream.wait_ready()
    other = Stream(chosen)
    other._log = chosen.logs / "second-stream.log"
    other._log.unlink(missing_ok=True)
    other.start()
    assert other._process is not None
    assert stream._process is not None
    assert other._process.wait(60) == 1
    assert f"The stream (process {stream._process.pid} on " in other._log.read_text()
