"""Airflow as programs ask it, its commands, and its scheduler stopped or with other settings."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from conf import LOOPBACK, REPOSITORY, Settings
from conf.addresses import AIRFLOW_USER
from infra.local.processes import children
from infra.local.processes.supervisor import Supervisor
from infra.local.servers import airflow
from infra.local.tools import java
from tests.support.waiting import until


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
        requests: dict[str, Any] = {"logical_date": None, "conf": {}}
        return str(
            self._client.post(f"/api/v2/dags/{dag}/dagRuns", json=requests).raise_for_status().json()["dag_run_id"]
        )

    def finished(self, dag: str, run: str, seconds: float = 1_000) -> dict[str, str]:
        """The tasks of a run when it has ended."""
        until(f"{dag} to end", lambda: self.state(dag, run) in ("success", "failed"), seconds, pause=1)
        return self.tasks(dag, run)

    def state(self, dag: str, run: str) -> str:
        return str(self.get(f"/dags/{dag}/dagRuns/{run}")["state"])

    def newest(self, dag: str) -> dict[str, str]:
        """The tasks of the run that began last."""
        (run,) = self.get(f"/dags/{dag}/dagRuns?order_by=-start_date&limit=1")["dag_runs"]
        return self.tasks(dag, run["dag_run_id"])

    def tasks(self, dag: str, run: str) -> dict[str, str]:
        """Task → its state."""
        return {task["task_id"]: task["state"] for task in self.instances(dag, run)}

    def instances(self, dag: str, run: str) -> list[dict[str, Any]]:
        return list(self.get(f"/dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"])


def environment(chosen: Settings, **more: str) -> dict[str, str]:
    """Of a process of Airflow that a test starts."""
    return children.environment(chosen, java.remembered(chosen), "tests") | airflow.environment(chosen) | more


def command(chosen: Settings, *words: str, **more: str) -> tuple[int, str]:
    """A command of Airflow, its exit code and all it said."""
    done = subprocess.run(
        [str(airflow.home(chosen) / "bin" / "airflow"), *words],
        cwd=REPOSITORY, env=environment(chosen, **more), capture_output=True, text=True,
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


@contextmanager
def other_scheduler(chosen: Settings, **more: str) -> Iterator[None]:
    """A scheduler whose tasks have other settings, in the place of the supervisor's."""
    with no_scheduler(chosen), (chosen.logs / "scheduler-under-test.log").open("ab") as log:
        words = airflow.commands(chosen)["airflow_scheduler"]
        started = subprocess.Popen(words, cwd=REPOSITORY, env=environment(chosen, **more), stdout=log, stderr=log)
        try:
            yield
        finally:
            started.terminate()
            started.wait(60)
