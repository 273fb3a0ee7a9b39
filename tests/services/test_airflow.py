"""The nights as Airflow runs them, on the real parts: triggered, killed in between, stopped by a gate."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest

from conf import LOOPBACK, REPOSITORY, Settings
from conf.addresses import AIRFLOW_USER
from conf.connect import clickhouse
from infra.local import airflow, java, proc
from infra.local.ports import free_port, is_free
from infra.local.supervisor import Supervisor
from tests.support.judge import Judge
from tests.support.stream import Stream, simulate
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

NIGHT = "purchases_nightly"
RUN = f"airflow{secrets.token_hex(3)}"
FACTS = "SELECT count(), sum(revenue_amount), groupBitXor(cityHash64(*)) FROM gold.purchases_seller_daily"


class Airflow:
    """Airflow's pages as a program asks them."""

    def __init__(self, chosen: Settings) -> None:
        self._client = httpx.Client(base_url=f"http://{LOOPBACK}:{chosen.port('airflow')}", timeout=60)
        given = {"username": AIRFLOW_USER, "password": chosen.secrets.airflow}
        token = self._client.post("/auth/token", json=given).raise_for_status().json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        self._client.close()

    def get(self, path: str) -> Any:
        return self._client.get(f"/api/v2{path}").raise_for_status().json()

    def trigger(self, dag: str) -> str:
        """Begin a run; returns its id."""
        asked = {"logical_date": None, "conf": {}}
        return str(self._client.post(f"/api/v2/dags/{dag}/dagRuns", json=asked).raise_for_status().json()["dag_run_id"])

    def state(self, dag: str, run: str) -> str:
        return str(self.get(f"/dags/{dag}/dagRuns/{run}")["state"])

    def newest(self, dag: str) -> dict[str, str]:
        """The tasks of the run that began last."""
        (run,) = self.get(f"/dags/{dag}/dagRuns?order_by=-start_date&limit=1")["dag_runs"]
        return self.tasks(dag, run["dag_run_id"])

    def tasks(self, dag: str, run: str) -> dict[str, str]:
        """Task → its state."""
        listed = self.get(f"/dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] for task in listed}


@pytest.fixture(scope="module")
def client(chosen: Settings) -> Iterator[Any]:
    made = clickhouse(chosen)
    yield made
    made.close()


@pytest.fixture(scope="module")
def sent(stream: Stream, judge: Judge, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Purchases, whole in silver on both sides; a stream that serves procurement too."""
    file = tmp_path_factory.mktemp("airflow") / "ledger"
    assert simulate("--events", "2000", "--seed", "8", ledger=file, run_id=RUN).wait(120) == 0
    stream.start()
    stream.wait_ready()
    judge.wait_and_judge(RUN, file)


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
    found = Airflow(chosen)
    until("the DAGs to be read", lambda: NIGHT in {dag["dag_id"] for dag in found.get("/dags")["dags"]}, 60)
    yield found
    found.close()
    for part in airflow.PARTS:
        supervisor.stop(part)


def command(chosen: Settings, *words: str, **more: str) -> tuple[int, str]:
    """A command of Airflow, its exit code and all it said."""
    env = proc.environment(chosen, java.remembered(chosen), "tests") | airflow.environment(chosen) | more
    done = subprocess.run(
        [str(airflow.home(chosen) / "bin" / "airflow"), *words],
        cwd=REPOSITORY, env=env, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@contextmanager
def no_scheduler(chosen: Settings) -> Iterator[None]:
    """`dags test` runs the tasks itself; a scheduler beside it would take some of them, without our settings."""
    supervisor = Supervisor(chosen)
    supervisor.stop("airflow_scheduler")
    try:
        yield
    finally:
        supervisor.start("airflow_scheduler")


def last_run(client: Any) -> tuple[str, int]:
    """The newest run in our own journal, and how many tables it has published."""
    (row,) = client.query(
        "SELECT run_id, countIf(is_pushed) FROM ops.job_runs GROUP BY run_id ORDER BY max(finished_at) DESC LIMIT 1"
    ).result_rows
    return row


@pytest.mark.usefixtures("sent")
def test_the_night_fills_gold_and_its_rerun_changes_nothing(pages: Airflow, client: Any, chosen: Settings) -> None:
    first = pages.trigger(NIGHT)
    until("the night to end", lambda: pages.state(NIGHT, first) in ("success", "failed"), 400, pause=1)

    assert pages.tasks(NIGHT, first) == {"settle": "success", "build": "success", "reconcile": "success"}
    silver = client.query("SELECT sum(line_amount), count() FROM silver.purchase_lines FINAL").result_rows
    gold = "SELECT sum(revenue_amount), sum(line_count) FROM gold.purchases_seller_daily"
    assert client.query(gold).result_rows == silver

    before, run = client.query(FACTS).result_rows, last_run(client)
    with no_scheduler(chosen):
        code, said = command(chosen, "dags", "test", NIGHT)
    assert code == 0, said[-3000:]
    again = last_run(client)
    assert again[0] != run[0], "it was built again"
    assert again[1] == run[1]
    assert client.query(FACTS).result_rows == before


@pytest.mark.usefixtures("sent")
def test_a_scheduler_killed_in_mid_run_ends_in_one_finished_run(pages: Airflow, client: Any, chosen: Settings) -> None:
    before = client.query(FACTS).result_rows
    run = pages.trigger(NIGHT)
    until("the build to begin", lambda: pages.tasks(NIGHT, run).get("build") == "running", 200)
    until("its Spark to run", lambda: job(chosen), 60)
    scheduler = psutil.Process(Supervisor(chosen).info()["airflow_scheduler"]["pid"])
    scheduler.kill()
    until("another scheduler", lambda: Supervisor(chosen).info()["airflow_scheduler"]["pid"] != scheduler.pid, 60)

    until("the night to end", lambda: pages.state(NIGHT, run) in ("success", "failed"), 600, pause=1)
    assert pages.tasks(NIGHT, run) == {"settle": "success", "build": "success", "reconcile": "success"}
    runs = pages.get(f"/dags/{NIGHT}/dagRuns?order_by=-start_date")["dag_runs"]
    assert [found["dag_run_id"] for found in runs].count(run) == 1
    assert {found["state"] for found in runs} == {"success"}
    assert client.query(FACTS).result_rows == before
    assert job(chosen) == []


def job(chosen: Settings) -> list[int]:
    """The processes that build gold tables."""
    return [p.pid for p, _ in proc.marked(chosen) if "jobs.run" in p.cmdline()]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A small world of procurement that is served; the settings by which it is collected."""
    port, token = free_port(19_120), "a-token-of-tests"
    command = [sys.executable, "-m", "ingestion.standins.goszakup"]
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
        code, said = command(chosen, "dags", "test", "procurement_daily", **world)
    assert code == 0, said[-3000:]
    assert set(pages.newest("procurement_daily").values()) == {"success"}
    lots = f"SELECT count() FROM silver.procurement_lots_latest WHERE collection_code = '{RUN}'"
    assert client.query(lots).result_rows[0][0] > 150

    # Half of the lots are lost.
    client.command(
        f"ALTER TABLE silver.procurement_lots DELETE WHERE collection_code = '{RUN}' AND cityHash64(lot_id) % 2 "
        "SETTINGS mutations_sync = 1"
    )
    with no_scheduler(chosen):
        code, said = command(chosen, "dags", "test", "procurement_daily", **world)
    assert code != 0
    shown = pages.newest("procurement_daily")
    assert (shown["gates"], shown["reconcile"]) == ("failed", "upstream_failed")
    found = client.query(
        "SELECT outcome FROM ops.quality WHERE collection_code = %(run)s AND table_name = 'silver.procurement_lots' "
        "AND check_name LIKE 'row_count%%' ORDER BY checked_at DESC LIMIT 1",
        {"run": RUN},
    ).result_rows
    assert found == [("stopped",)]
    repaired = subprocess.run(
        [sys.executable, "-m", "jobs.reconcile", "--repair", "--json", "--table", "silver.procurement_lots"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert json.loads(repaired.stdout.splitlines()[-1])["state"] in ("repaired", "equal"), repaired.stderr
