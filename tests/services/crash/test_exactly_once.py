"""Every acknowledged event is in silver or in quarantine, once, in the lake and in ClickHouse, whatever dies."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from conf import Settings
from conf.connect import clickhouse, kafka_config
from conf.stream_progress import kafka_admin
from infra.local import clickhouse_http, deploy
from infra.local.commands import accept_loss
from ingestion.core.ledger import read_ledger
from schemas.common.cloudevents import cloud_event
from tests.support.commands import run_command
from tests.support.ledger_check import Judge
from tests.support.stream import Parts, Stream, simulate
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

# Ids of an earlier session on the same stack would be taken for copies.
SESSION = secrets.token_hex(3)
DIRTY = ("--duplicates", "0.01", "--poison", "0.01")
SHORT = 60
TOPIC = "purchases"
WRITES = (
    "live.silver.purchase_lines:2",
    "live.ops.quarantine:1",
    "lake.bronze.purchases:1",
    "lake.silver.purchase_lines:1",
    "lake.quarantine.purchases:1",
)


def send(run_id: str, ledger: Path, *options: str, wait: bool = True):  # type: ignore[no-untyped-def]
    process = simulate(*DIRTY, *options, ledger=ledger, run_id=run_id)
    if wait:
        assert process.wait(120) == 0
    return process


@pytest.mark.timeout(1_500)
def test_a_history_of_deaths(stream: Stream, parts: Parts, judge: Judge, tmp_path: Path) -> None:
    """One history of many deaths, judged once at its end. Each start finds what the last death left half done.

    Copies and poison of every kind come first. The stream is killed in mid-drain, then dies right after each write
    that its checkpoint does not know of yet; at last each part is killed while data flows.
    """
    stream.stop()
    runs: dict[str, Path] = {}

    def sent(name: str, *options: str, wait: bool = True):  # type: ignore[no-untyped-def]
        run = f"{name}{SESSION}"
        runs[run] = tmp_path / name
        return send(run, runs[run], *options, wait=wait)

    sent("dirty", "--events", "6000", "--seed", "11", "--poison", "0.05", "--oversized", "2")
    for seed in (1, 2, 3):
        sent(f"kill{seed}", "--events", "20000", "--seed", str(seed), "--single-line")
        # The lane and the batch are drawn from the seed: the drain is at another place each time.
        random = Random(seed)
        begun = stream.batch_begun(random.choice(["live", "lake"]), random.randrange(3))
        stream.start(lake_batch_events=6_000)
        until("the batch to begin", begun.exists, pause=0.01)
        stream.kill()
    for seed, step in enumerate(WRITES):
        sent(f"after-{step.replace(':', '-')}", "--events", "5000", "--seed", str(seed), "--poison", "0.02")
        stream.start(die_after=step)
        stream.wait_dead()
    stream.start()
    stream.wait_ready()
    for part in ("kafka", "minio", "clickhouse"):
        sender = sent(f"part-{part}", "--events", "8000", "--seed", "9", "--rate", "800", wait=False)
        ledger = runs[f"part-{part}{SESSION}"]
        until("events to flow", lambda ledger=ledger: ledger.exists() and ledger.stat().st_size > 200_000, SHORT)
        parts.kill(part)
        # Its own exit code may say that some were not acknowledged; the ledger says which.
        sender.wait(180)

    reported = {run: judge.wait_and_judge(run, ledger, seconds=240) for run, ledger in runs.items()}
    dirty = reported[f"dirty{SESSION}"]
    assert dirty.copies >= 40
    assert len({e.expected_rule for e in dirty.poison.values()}) >= 10
    assert any(e.expected_rule == "record.oversized" for e in dirty.poison.values())


OCTOBER, NOVEMBER = "2026-10-31T23:59:59Z", "2026-11-01T00:00:01Z"
Version = tuple[str, str, str, int, int]


def publish(chosen: Settings, *versions: Version) -> None:
    """Events by id, purchase number and time, with a quantity (0 is refused), in a partition, one after the other."""
    producer = Producer(kafka_config(chosen))
    for event_id, number, at, quantity, partition in versions:
        event = {
            "purchase_id": number, "purchased_at": at, "seller_id": f"versions-{SESSION}", "currency_code": "KZT",
            "lines": [{"product_id": "p", "quantity": quantity, "unit_price": 100}],
        }  # fmt: skip
        headers = cloud_event(f"{event_id}-{SESSION}", "purchase", "test", None)
        taken: list[int] = []
        producer.produce(
            "purchases", orjson.dumps(event), partition=partition, headers=headers,
            on_delivery=lambda _, message, taken=taken: taken.append(message.timestamp()[1]),
        )  # fmt: skip
        assert producer.flush(20) == 0
        # Of two events of one millisecond in two partitions, no clock says which came first.
        until("the broker's clock to move on", lambda taken=taken: time.time() * 1_000 > taken[0] + 1, 5, pause=0.001)


def rows(chosen: Settings, sql: str, *, lake: bool = False) -> list[Sequence[object]]:
    """What is held of those events; in the lake the view is made of what its two tables hold."""
    lines, corrections = (
        f"deltaLake(lake, url='{chosen.table_url(table)}')" if lake else f"{table} FINAL"
        for table in ("silver.purchase_lines", "silver.purchase_corrections")
    )
    gone = f"SELECT event_id FROM {corrections}"
    held = f"(SELECT * FROM {lines} WHERE event_id NOT IN ({gone}))" if lake else "silver.purchase_lines_latest"
    client = clickhouse(chosen)
    try:
        return list(client.query(sql.format(lines=lines, corrections=corrections, held=held)).result_rows)
    finally:
        client.close()


def judge_versions(chosen: Settings, number: str, last: str, held: int, listed: Sequence[str], lines: int) -> None:
    """Of a number `held` is the money that counts, as soon as the last event is there; `lines` are all of silver."""
    own = f"seller_id = 'versions-{SESSION}' AND purchase_id = '{number}-{SESSION}'"
    # Before they are looked for in the lake: ClickHouse is to be right at once.
    for lake in (False, True):
        known = f"SELECT count() FROM {{lines}} WHERE event_id = '{last}-{SESSION}'"
        until(f"the last event to be there (lake: {lake})", lambda: rows(chosen, known, lake=lake) == [(1,)], 120)  # noqa: B023
        summed = f"SELECT toInt64(sum(line_amount)) FROM {{held}} WHERE {own}"
        if lake:
            # Its tables are committed one after the other; only a finished batch is read by what builds on them.
            until("the lake's batch to be finished", lambda: rows(chosen, summed, lake=True) == [(held,)], 60)  # noqa: B023
        assert rows(chosen, summed, lake=lake) == [(held,)], f"lake: {lake}"
        pairs = rows(
            chosen, f"SELECT event_id, superseded_by_event_id FROM {{corrections}} WHERE {own} ORDER BY ALL", lake=lake
        )
        assert [">".join(str(e).removesuffix(f"-{SESSION}") for e in pair) for pair in pairs] == list(listed)
        assert rows(chosen, f"SELECT count() FROM {{lines}} WHERE {own}", lake=lake) == [(lines,)]


def assert_reconciled() -> None:
    given = ("--table", "silver.purchase_lines", "--table", "silver.purchase_corrections")
    done = run_command("jobs.commands.reconcile", *given)
    assert done.code == 0, done.out + done.err


def test_one_id_in_two_months_and_versions_of_a_number(stream: Stream, chosen: Settings) -> None:
    """A copy counts once whatever day it names. Of a number the last event holds; what is refused corrects nothing, a
    return is a document of its own, and the first version sent again is a copy."""
    stream.start()
    stream.wait_ready()
    one, two, back = (f"{name}-{SESSION}" for name in ("one", "two", "back"))
    publish(chosen, ("x1", one, OCTOBER, 1, 0), ("x1", one, NOVEMBER, 1, 1))
    publish(
        chosen, ("v1", two, OCTOBER, 1, 0), ("v2", two, OCTOBER, 2, 1), ("v3", two, NOVEMBER, 3, 0),
        ("v4", two, OCTOBER, 0, 0), ("v1", two, OCTOBER, 1, 1), ("r1", two, NOVEMBER, -1, 0),
        ("x2", one, NOVEMBER, 5, 1), ("z1", back, NOVEMBER, 1, 0),
    )  # fmt: skip
    judge_versions(chosen, "back", "z1", 100, [], 1)
    judge_versions(chosen, "one", "x2", 500, ["x1>x2"], 2)
    judge_versions(chosen, "two", "r1", 300 - 100, ["v1>v2", "v2>v3"], 4)
    assert_reconciled()


def test_a_backlog_reaches_clickhouse_by_way_of_the_lake(
    stream: Stream, judge: Judge, chosen: Settings, tmp_path: Path
) -> None:
    """What came live meanwhile and is a copy of an event in the gap, or corrects it, is found when the gap is full."""
    run, ledger = f"backlog{SESSION}", tmp_path / "ledger"
    stream.stop()
    copied, corrected = f"copied-{SESSION}", f"corrected-{SESSION}"
    publish(chosen, ("g1", copied, OCTOBER, 1, 0), ("g2", corrected, OCTOBER, 1, 1))
    send(run, ledger, "--events", "20000", "--seed", "6", "--single-line")
    # It dies between a fill and its note, so that the fill is done twice.
    stream.start(die_after="fill.loaded:1", lake_batch_events=6_000, backlog=5_000)
    stream.wait_dead()
    publish(chosen, ("g1", copied, NOVEMBER, 1, 1), ("g3", corrected, NOVEMBER, 2, 1))
    stream.start(lake_batch_events=6_000, backlog=5_000)
    judge.wait_and_judge(run, ledger)
    judge_versions(chosen, "copied", "g1", 100, [], 1)
    judge_versions(chosen, "corrected", "g3", 200, ["g2>g3"], 2)
    assert_reconciled()
    live = stream.progress()["queries"]["live:purchases"]
    assert live["read_total"] < 5_000, "the live lane was to leave the backlog to the lake"


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


def test_a_topic_that_was_made_anew_is_read_when_somebody_accepts_the_loss(
    stream: Stream, judge: Judge, chosen: Settings, tmp_path: Path
) -> None:
    """Its offsets begin at 0 again, at places that the lake has: nothing of it is taken for a copy of the former."""
    before, after, ledger = f"former{SESSION}", f"anew{SESSION}", tmp_path / "ledger"
    stream.start()
    send(before, tmp_path / "former", "--events", "300", "--seed", "21")
    judge.wait_and_judge(before, tmp_path / "former")
    stream.stop()
    admin = kafka_admin(chosen)
    admin.delete_topics([TOPIC])[TOPIC].result(30)
    until("the topic to be gone", lambda: TOPIC not in admin.list_topics(timeout=10).topics, SHORT)
    deploy.create_topics(chosen)
    send(after, ledger, "--events", "300", "--seed", "22")

    stream.start()
    stream.wait_ready()
    until("both lanes to wait", lambda: [q["state"] for q in lanes(stream)] == ["waiting: offsets are lost"] * 2)
    lost = accept_loss.of(chosen, TOPIC)
    assert {loss["reason"] for loss in lost} == {"recreated"}
    assert f"./start.sh accept-loss {TOPIC}" in lanes(stream)[0]["error"]
    accepted = accept_loss.note(chosen, TOPIC, lost)
    stream.stop()

    stream.start()
    judge.wait_and_judge(after, ledger)
    judge.compare(read_ledger(tmp_path / "former"), judge.held(before, lake=True), "lake")
    assert not accepted.exists()
    rows = clickhouse_http.rows(chosen, f"SELECT count() FROM ops.lost_offsets WHERE kafka_topic = '{TOPIC}'")
    assert int(rows[0][0]) >= len(lost)


def lanes(stream: Stream) -> list[dict[str, Any]]:
    return [query for query in stream.progress()["queries"].values() if query["topic"] == TOPIC]
