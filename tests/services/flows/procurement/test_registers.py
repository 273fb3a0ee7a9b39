"""A whole world of procurement through the real parts: every register as large as its service says, through faults, a
kill, a second load and a day of changes."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from conf import LOOPBACK, REPOSITORY, Settings
from conf.connect import clickhouse
from conf.stream_progress import settle
from schemas.contract import tables
from schemas.procurement import TOPIC
from schemas.procurement.endpoints import registers
from streaming.core.checkpoints import topic_ends
from tests.support.commands import run_command
from tests.support.stream import Stream
from tests.support.waiting import until

# For more patience: PROCUREMENT_LOTS=100000 ./start.sh test -- tests/services/flows/procurement/test_registers.py
LOTS, TOKEN = int(os.environ.get("PROCUREMENT_LOTS", "1500")), "a-token-of-tests"
PATIENCE = 300 + LOTS / 100
"""Seconds for a step over the whole world."""
pytestmark = [pytest.mark.services, pytest.mark.timeout(900 + LOTS / 20)]
# What an earlier session left on the same stack is another collection's.
COLLECTION = f"tests_{secrets.token_hex(3)}"
MINE = f"collection_code = '{COLLECTION}'"
WORLD_OPENS = "2026-05-31"
LATEST = {event: f"{t.name}_latest" for t in tables("silver", "procurement") for event in t.fed_by}


@dataclass
class Service:
    """The stand-in, with faults, as a process."""

    port: int

    def ask(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{self.port}{path}", method=method, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def counts(self) -> dict[str, int]:
        """Rows of each register that every load collects, by its event type."""
        details = self.ask("/standin/counts")["counts"]
        return {str(e.event_type): int(details[e.path]) for e in registers()}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("standin") / "log"
    command = [sys.executable, "-m", "standins.goszakup", "--port", "0", "--lots", str(LOTS), "--seed", "4"]
    faults = ["--faults", "9", "--fault-share", "0.03", "--fault-kinds", "http,cut,html,cursor,repeat,late"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, *faults, "--token", TOKEN], cwd=REPOSITORY, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        results: list[int] = []

        def listens() -> bool:
            assert process.poll() is None, log.read_text()
            results[:] = [
                c.laddr.port for c in psutil.Process(process.pid).net_connections("tcp") if c.status == "LISTEN"
            ]
            return bool(results)

        until("the stand-in to listen", listens, 60)
        yield Service(results[0])
    finally:
        process.terminate()
        process.wait(20)


def collect(service: Service, *options: str) -> subprocess.Popen[str]:
    environment = os.environ | {
        "SAUDA_GOSZAKUP_URL": f"http://{LOOPBACK}:{service.port}",
        "SAUDA_GOSZAKUP_TOKEN": TOKEN,
        "SAUDA_GOSZAKUP_COLLECTION": COLLECTION,
        "SAUDA_GOSZAKUP_REQUESTS_PER_SECOND": "2000",
    }
    command = [sys.executable, "-m", "ingestion.core.run", "procurement.goszakup", "--json", *options]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def collected(service: Service, *options: str) -> dict[str, Any]:
    process = collect(service, *options)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, f"{out}\n{err}"
    document: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return document


def wait_served(settings: Settings) -> None:
    """Until the lake has all of the topic, and ClickHouse all of the lake."""
    settle(settings, [TOPIC], PATIENCE, lambda _: None)


def judged(*options: str, code: int = 0) -> dict[str, Any]:
    """What the check of the collection says, its findings by table and check."""
    ended = run_command("jobs.commands.check", "procurement", "--collection", COLLECTION, "--json", *options)
    assert ended.code == code, f"{ended.out}\n{ended.err}"
    document: dict[str, Any] = json.loads(ended.out.splitlines()[-1])
    document["found"] = {(check["table_name"], check["check_name"]): check for check in document["checks"]}
    return document


def test_every_register_arrives_whole_and_again_changes_nothing(
    stream: Stream, chosen: Settings, service: Service
) -> None:
    there = events_in_topic(chosen)
    first = collect(service, "--full")
    until("pages to be acknowledged", lambda: events_in_topic(chosen) > there + 2 * LOTS, 120)
    first.kill()
    first.communicate()
    again = collected(service, "--full")
    stream.start(lake_batch_events=200_000)
    stream.wait_ready()
    wait_served(chosen)

    client, counts = clickhouse(chosen), service.counts()
    assert counts["kz.goszakup.lots"] > 0.9 * LOTS
    assert held(client) == counts

    compared = reconciled()
    assert {name: table["differing"] for name, table in compared.items() if table["differing"]} == {}
    assert compared["silver.procurement_lots"]["lake_rows"] >= counts["kz.goszakup.lots"]

    before = versions(client)
    once_more = collected(service, "--full")
    assert again["acknowledged"] > 0
    assert once_more["acknowledged"] >= sum(counts.values()), "all of it was sent again"
    wait_served(chosen)
    assert versions(client) == before


@pytest.mark.usefixtures("stream")
def test_a_day_of_changes_arrives_as_updates_and_deletions(chosen: Settings, service: Service) -> None:
    client = clickhouse(chosen)
    before, yesterday = versions(client), held(client)
    service.ask("/standin/day", "POST")
    # The world's calendar is its own.
    collected(service, "--since", WORLD_OPENS)
    wait_served(chosen)

    counts, after = service.counts(), versions(client)
    assert counts["kz.goszakup.lots"] > yesterday["kz.goszakup.lots"], "a day brings lots"
    daily = {str(e.event_type) for e in registers() if e.schedule == "daily"}
    assert {k: v for k, v in held(client).items() if k in daily} == {k: v for k, v in counts.items() if k in daily}
    deletions = f"SELECT count() FROM silver.procurement_deletions FINAL WHERE {MINE} AND service_name != 'plans'"
    assert client.query(deletions).result_rows[0][0] > 0
    # A change is one more version of a row that was there.
    grown = after["silver.procurement_contracts"] - before["silver.procurement_contracts"]
    assert grown > counts["kz.goszakup.contract"] - yesterday["kz.goszakup.contract"]


def test_references_resolve_and_nothing_has_drifted(chosen: Settings) -> None:
    """Rows that the journal deleted may be referred to still."""
    details = judged()
    assert details["state"] in ("passed", "warned")
    bids = details["found"]["silver.procurement_bids", "lot_id.resolves"]
    assert bids["row_count"] == details["found"]["silver.procurement_bids", "row_count.keeps"]["row_count"] > LOTS
    assert details["found"]["silver.procurement_planning_items", "unit_code.resolves"]["outcome"] == "passed"
    written = f"SELECT count() FROM ops.latest_checks WHERE {MINE} AND run_id = '{details['run_id']}'"
    assert clickhouse(chosen).query(written).result_rows[0][0] == len(details["checks"])

    reported = run_command("jobs.commands.drift", "--json")
    assert reported.code == 0, reported.err
    drifted = json.loads(reported.out.splitlines()[-1])["drift"]
    assert [drift for drift in drifted if drift["collection_code"] == COLLECTION] == []


def test_a_table_that_is_empty_stops_until_it_is_mended_or_accepted(chosen: Settings) -> None:
    client, table = clickhouse(chosen), "silver.procurement_planners"
    whole = judged()["found"][table, "row_count.keeps"]["row_count"]
    client.command(f"DELETE FROM {table} WHERE {MINE}", settings={"lightweight_deletes_sync": 2})
    for _ in range(2):
        actual = judged(code=3)["found"][table, "row_count.keeps"]
        assert (actual["outcome"], actual["row_count"], actual["broken_count"]) == ("stopped", 0, whole)
    assert judged("--accept")["found"][table, "row_count.keeps"]["outcome"] == "passed"
    assert judged()["found"][table, "row_count.keeps"]["wanted_value"] == ">= 0"

    assert run_command("jobs.commands.reconcile", "--repair", "--table", table).code == 0
    assert judged()["found"][table, "row_count.keeps"]["row_count"] == whole


def reconciled() -> dict[str, dict[str, Any]]:
    """What lake and ClickHouse say of each other's procurement."""
    statements = [word for t in tables("silver", "procurement") for word in ("--table", t.name)]
    details = run_command("jobs.commands.reconcile", "--json", *statements).out
    return {table["table"]: table for table in json.loads(details.splitlines()[-1])["tables"]}


def events_in_topic(chosen: Settings) -> int:
    low, high = topic_ends(chosen, TOPIC)
    return sum(high.values()) - sum(low.values())


def held(client: Any) -> dict[str, int]:
    """Rows that hold today, by the event type of the register that they came from."""
    questions = {
        str(e.event_type): f"SELECT count() FROM {LATEST[str(e.event_type)]} WHERE {MINE}" for e in registers()
    }
    # An application for several lots is one row of its register.
    questions["kz.goszakup.trd_app"] = (
        f"SELECT uniqExact(application_id) FROM silver.procurement_bids_latest WHERE {MINE}"
    )
    questions["kz.goszakup.plans_deleted"] += " AND service_name = 'plans'"
    for event in questions:
        if event.startswith("kz.goszakup.ref_"):
            questions[event] += f" AND dictionary_code = '{event.rpartition('.')[2]}'"
    return {event: int(client.query(question).result_rows[0][0]) for event, question in questions.items()}


def versions(client: Any) -> dict[str, int]:
    """Rows of each table, every version counted."""
    names = [t.name for t in tables("silver", "procurement")]
    return {
        name: int(client.query(f"SELECT count() FROM {name} FINAL WHERE {MINE}").result_rows[0][0]) for name in names
    }
