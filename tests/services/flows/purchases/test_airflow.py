"""The nights as Airflow runs them, on the real parts: triggered, killed in between, stopped by a gate, made up for."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from conf import LOOPBACK, REPOSITORY, Settings
from conf.connect import clickhouse
from infra.local.processes import children
from infra.local.processes.ports import free_port, is_free
from infra.local.processes.supervisor import Supervisor
from infra.local.servers import airflow
from schemas.contract import tables
from tests.support.airflow_server import Airflow, command, no_scheduler, other_scheduler
from tests.support.anonymous_access import REFUSALS, listeners
from tests.support.ledger_check import Judge
from tests.support.stream import Stream, simulate
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(1_500)]

NIGHT = "purchases_nightly"
RUN = f"airflow{secrets.token_hex(3)}"
TASKS = ("after_rates", "after_shop", "settle", "build", "reconcile")
DONE = dict.fromkeys(TASKS, "success")
SILVER = "SELECT sum(line_amount), count() FROM silver.purchase_lines_latest"
GOLD = "SELECT sum(revenue_amount), sum(line_count) FROM gold.purchases_seller_daily"
FACTS = "SELECT count(), sum(revenue_amount), groupBitXor(cityHash64(*)) FROM gold.purchases_seller_daily"


@pytest.fixture(scope="module")
def client(chosen: Settings) -> Iterator[Any]:
    connection = clickhouse(chosen)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def sent(stream: Stream, judge: Judge, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Purchases, whole in silver on both sides; a stream that serves procurement too."""
    file = tmp_path_factory.mktemp("airflow") / "ledger"
    assert simulate("--events", "2000", "--seed", "8", ledger=file, run_id=RUN).wait(120) == 0
    stream.start()
    stream.wait_ready()
    judge.wait_and_judge(RUN, file)


@pytest.fixture(scope="module")
def gold(sent: None, client: Any) -> None:  # noqa: ARG001
    """The gold tables of the purchases that were sent."""
    if client.query(GOLD).result_rows != client.query(SILVER).result_rows:
        built = [sys.executable, "-m", "jobs.commands.run", "purchases"]
        subprocess.run(built, cwd=REPOSITORY, check=True, capture_output=True)


@pytest.fixture(scope="module")
def pages(chosen: Settings) -> Iterator[Airflow]:
    """Airflow as the supervisor runs it."""
    supervisor = Supervisor(chosen)
    for part in airflow.PARTS:
        supervisor.start(part)

    def answers(part: str) -> bool:
        try:
            return airflow.trouble(chosen, part) is None
        except OSError:
            return False

    for part in airflow.PARTS:
        until(f"{part} to answer", lambda part=part: answers(part), 180)
    created = Airflow(chosen)
    until("the DAGs to be read", lambda: NIGHT in {dag["dag_id"] for dag in created.get("/dags")["dags"]}, 60)
    yield created
    created.close()
    for part in airflow.PARTS:
        supervisor.stop(part)


def finished_builds(client: Any) -> set[str]:
    """The runs in our own journal that have published all gold tables of purchases."""
    actual = client.query(
        "SELECT run_id FROM ops.job_runs WHERE is_pushed GROUP BY run_id HAVING uniqExact(contract) = %(count)s",
        {"count": len(tables("gold", "purchases"))},
    ).result_rows
    return {str(run) for (run,) in actual}


@pytest.mark.usefixtures("pages")
def test_a_stranger_is_told_nothing_by_it(chosen: Settings) -> None:
    REFUSALS["airflow"](chosen, f"{LOOPBACK}:{chosen.port('airflow')}")
    its = {port for port, (_, process) in listeners(chosen).items() if "airflow" in " ".join(process.cmdline()[:2])}
    assert its == {chosen.port("airflow")}


@pytest.mark.usefixtures("sent")
def test_the_night_fills_gold_once_though_the_scheduler_is_killed_in_mid_run(
    pages: Airflow, client: Any, chosen: Settings
) -> None:
    builds = finished_builds(client)
    run = pages.trigger(NIGHT)
    until("the build to begin", lambda: pages.tasks(NIGHT, run).get("build") == "running", 200)
    until("its Spark to run", lambda: job(chosen), 60)
    scheduler = psutil.Process(Supervisor(chosen).info()["airflow_scheduler"]["pid"])
    scheduler.kill()
    until("another scheduler", lambda: Supervisor(chosen).info()["airflow_scheduler"]["pid"] != scheduler.pid, 60)

    assert pages.finished(NIGHT, run) == DONE
    assert len(finished_builds(client) - builds) == 1
    assert client.query(GOLD).result_rows == client.query(SILVER).result_rows
    assert job(chosen) == []


def job(chosen: Settings) -> list[int]:
    """The processes that build gold tables."""
    return [p.pid for p, _ in children.marked(chosen) if "jobs.commands.run" in p.cmdline()]


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[str]]]:
    """The address of a webhook, and the sentences that it has heard."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer((LOOPBACK, 0), Handler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield f"http://{LOOPBACK}:{server.server_port}/", heard
        server.shutdown()
        serving.join()


@pytest.fixture
def broken_python(tmp_path: Path) -> str:
    """An interpreter with which the transform of one table of the night goes wrong."""
    script = tmp_path / "python"
    script.write_text(
        f"""#!/bin/sh
if [ "$2" = jobs.commands.run ]; then
  shift 3
  exec {sys.executable} -m tests.support.failing_gate gold.purchases_seller_daily "$@"
fi
exec {sys.executable} "$@"
"""
    )
    script.chmod(0o755)
    return str(script)


@pytest.mark.usefixtures("gold")
def test_what_a_gate_stops_is_red_at_once_keeps_its_figures_and_is_told(
    pages: Airflow, client: Any, chosen: Settings, webhook: tuple[str, list[str]], broken_python: str
) -> None:
    before, (url, heard) = client.query(FACTS).result_rows, webhook
    with other_scheduler(chosen, SAUDA_PYTHON=broken_python, SAUDA_ALERT_WEBHOOK=url):
        run = pages.trigger(NIGHT)
        actual = pages.finished(NIGHT, run)

    assert actual == DONE | {"build": "failed", "reconcile": "upstream_failed"}
    assert pages.state(NIGHT, run) == "failed"
    assert {task["task_id"]: task["try_number"] for task in pages.instances(NIGHT, run)}["build"] == 1
    assert client.query(FACTS).result_rows == before
    (reported,) = heard
    assert reported.startswith(
        f"Sauda: {NIGHT}.build of {run} failed: A gate stopped jobs.commands.run: gold.purchases_seller_daily"
    )
    assert "order_count" in reported


def of_days(client: Any, sums: str, days: list[date]) -> Any:
    """These sums of each of two days."""
    return [client.query(f"{sums} WHERE sold_on = %(day)s", {"day": day}).result_rows for day in days]


def backfill(first: date, last: date) -> list[str]:
    """What the command says of the days, all of which it builds."""
    words = [sys.executable, "-m", "infra.local", "backfill", "purchases", str(first), str(last)]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.usefixtures("sent")
def test_a_backfill_builds_both_its_ends_again_one_day_after_the_other(pages: Airflow, client: Any) -> None:
    first: date = client.query("SELECT min(sold_on) FROM silver.purchase_lines FINAL").result_rows[0][0]
    days = [first + timedelta(days=5), first + timedelta(days=6)]
    silver = of_days(client, SILVER, days)
    journal = "SELECT run_id, day, contract, state, started_at, finished_at FROM ops.job_runs"
    known = {row[0] for row in client.query(journal).result_rows}

    entries = [f"✓ {days[0]}  1 of 2", f"✓ {days[1]}  2 of 2", "2 of 2 days are built."]
    assert backfill(days[0], days[1]) == entries
    assert of_days(client, GOLD, days) == silver

    # The first backfill of an Airflow without nights is followed by today's night, which then is overdue.
    rows = [row for row in client.query(journal).result_rows if row[0] not in known]
    assert {row[3] for row in rows} == {"done"}
    builds: dict[str, list[Any]] = {}
    for row in sorted(rows, key=itemgetter(4)):
        builds.setdefault(row[0], []).append(row)
    gold = tables("gold", "purchases")
    by_day = sum(bool(table.day) for table in gold)
    whole = (str(days[1]), len(gold))
    of_a_day = [(run[0][1], len(run)) for run in builds.values() if run[0][1] != "all"]
    assert of_a_day == [(str(days[0]), by_day), whole]
    for earlier, later in pairwise(builds.values()):
        assert max(row[5] for row in earlier) <= later[0][4], "one job after the other"
    runs = pages.get(f"/dags/{NIGHT}/dagRuns?run_type=backfill")["dag_runs"]
    assert {run["logical_date"][:10]: run["state"] for run in runs} == {str(day): "success" for day in days}


def test_what_collects_todays_rows_refuses_a_backfill(pages: Airflow, chosen: Settings) -> None:
    assert {"procurement_daily", "shop_nightly"} <= {dag["dag_id"] for dag in pages.get("/dags")["dags"]}
    for dag in ("procurement_daily", "shop_nightly"):
        code, output = command(
            chosen, "backfill", "create", "--dag-id", dag, "--from-date", "2026-03-01", "--to-date", "2026-03-02"
        )
        assert code != 0
        assert "does not allow backfill runs" in output


def test_old_logs_go_when_the_house_is_kept(pages: Airflow, chosen: Settings) -> None:
    old, young = (chosen.logs / "airflow" / "kept" / name for name in ("old.log", "young.log"))
    old.parent.mkdir(parents=True, exist_ok=True)
    for file in (old, young):
        file.write_text("x")
    os.utime(old, (1_700_000_000, 1_700_000_000))

    assert pages.finished("housekeeping", pages.trigger("housekeeping"), 200) == {"old_logs": "success"}
    assert (old.exists(), young.exists()) == (False, True)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A small world of procurement that is served; the settings by which it is collected."""
    port, token = free_port(19_120), "a-token-of-tests"
    command = [sys.executable, "-m", "standins.goszakup"]
    log = tmp_path_factory.mktemp("standin") / "log"
    with log.open("wb") as out:
        served = subprocess.Popen(
            [*command, "--port", str(port), "--lots", "200", "--token", token],
            cwd=REPOSITORY, stdout=out, stderr=out, env=os.environ,
        )  # fmt: skip
    until("the stand-in to listen", lambda: not is_free(port), 60)
    yield {
        "SAUDA_GOSZAKUP_URL": f"http://{LOOPBACK}:{port}",
        "SAUDA_GOSZAKUP_TOKEN": token,
        "SAUDA_GOSZAKUP_COLLECTION": RUN,
        "SAUDA_GOSZAKUP_REQUESTS_PER_SECOND": "2000",
    }
    served.terminate()
    served.wait(20)


@pytest.mark.usefixtures("sent")
def test_procurement_is_collected_and_a_register_that_shrinks_stops_what_comes_after(
    world: dict[str, str], pages: Airflow, client: Any, chosen: Settings
) -> None:
    with no_scheduler(chosen):
        code, output = command(chosen, "dags", "test", "procurement_daily", **world)
    assert code == 0, output[-3000:]
    assert set(pages.newest("procurement_daily").values()) == {"success"}
    lots = f"SELECT count() FROM silver.procurement_lots_latest WHERE collection_code = '{RUN}'"
    assert client.query(lots).result_rows[0][0] > 150

    # Half of the lots are lost.
    client.command(
        f"ALTER TABLE silver.procurement_lots DELETE WHERE collection_code = '{RUN}' AND cityHash64(lot_id) % 2 "
        "SETTINGS mutations_sync = 1"
    )
    with no_scheduler(chosen):
        code, output = command(chosen, "dags", "test", "procurement_daily", **world)
    assert code != 0
    shown = pages.newest("procurement_daily")
    assert (shown["gates"], shown["reconcile"]) == ("failed", "upstream_failed")
    actual = client.query(
        "SELECT outcome FROM ops.quality WHERE collection_code = %(run)s AND table_name = 'silver.procurement_lots' "
        "AND check_name LIKE 'row_count%%' ORDER BY checked_at DESC LIMIT 1",
        {"run": RUN},
    ).result_rows
    assert actual == [("stopped",)]
    repaired = subprocess.run(
        [sys.executable, "-m", "jobs.commands.reconcile", "--repair", "--json", "--table", "silver.procurement_lots"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert json.loads(repaired.stdout.splitlines()[-1])["state"] in ("repaired", "equal"), repaired.stderr


@pytest.mark.usefixtures("sent")
def test_a_register_that_cannot_be_had_leaves_a_summary_of_what_is_known(
    world: dict[str, str], pages: Airflow, chosen: Settings
) -> None:
    with no_scheduler(chosen):
        code, output = command(
            chosen, "dags", "test", "procurement_daily", **world | {"SAUDA_GOSZAKUP_TOKEN": "another"}
        )

    assert code != 0
    shown = pages.newest("procurement_daily")
    assert (shown["dictionaries"], shown["registers"], shown["summary"]) == ("failed", "upstream_failed", "success")
    assert "endpoints, 0 rows" in output
