"""How Airflow is set up, and how its health is read."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.error import URLError

import pytest
from click.testing import CliRunner

from conf import Settings
from infra.local import command_line
from infra.local.parts import here, trouble
from infra.local.servers import airflow
from infra.local.start import demo


def test_it_runs_four_tasks_at_most_in_processes_of_its_own(stack_settings: Settings) -> None:
    env = airflow.environment(stack_settings)

    assert (env["AIRFLOW__CORE__EXECUTOR"], env["AIRFLOW__CORE__PARALLELISM"]) == ("LocalExecutor", "4")


def test_its_database_is_postgres_and_its_port_the_stacks(stack_settings: Settings) -> None:
    env = airflow.environment(stack_settings)

    assert env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql+psycopg2://airflow:")
    port = str(stack_settings.port("airflow"))
    assert env["AIRFLOW__API__BASE_URL"] == f"http://127.0.0.1:{port}"
    assert airflow.commands(stack_settings)["airflow"][-3:-2] == [port]


@pytest.mark.parametrize(("words", "is_lite"), [([], False), (["--lite"], True)])
def test_lite_reaches_the_start(
    stack_settings: Settings, monkeypatch: pytest.MonkeyPatch, words: list[str], is_lite: bool
) -> None:
    requests: list[dict[str, Any]] = []
    monkeypatch.setattr(command_line, "current", lambda: stack_settings)
    monkeypatch.setattr(demo, "run", lambda *_, **options: requests.append(options))

    assert CliRunner().invoke(command_line.cli, words).exit_code == 0
    assert requests == [{"is_lite": is_lite}]


def test_lite_leaves_out_the_parts_of_airflow_and_no_other(stack_settings: Settings) -> None:
    every, lite = (demo.started(stack_settings, is_lite) for is_lite in (False, True))

    # The supervisor starts the guard by itself.
    assert [*every, "guard"] == list(here(stack_settings))
    assert set(every) - set(lite) == set(airflow.PARTS)


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the health check answers; a test changes it."""
    reported = {part: {"status": "healthy"} for part in ("metadatabase", "scheduler", "dag_processor")}
    monkeypatch.setattr(airflow.urllib.request, "urlopen", lambda *_, **__: io.StringIO(json.dumps(reported)))
    return reported


def test_each_of_its_processes_is_judged_by_its_own_line(stack_settings: Settings, health: dict[str, Any]) -> None:
    assert [airflow.trouble(stack_settings, part) for part in airflow.PARTS] == [None, None, None]

    health["scheduler"] = {"status": "unhealthy"}
    health["dag_processor"] = None
    assert [airflow.trouble(stack_settings, part) for part in airflow.PARTS] == [
        None, "its health is unhealthy", "its health is unknown",
    ]  # fmt: skip


def test_of_a_process_that_listens_nowhere_the_silence_of_the_api_server_is_told(
    stack_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise URLError(ConnectionRefusedError(111, "Connection refused"))

    monkeypatch.setattr(airflow.urllib.request, "urlopen", refused)
    aside = "Airflow's API server, which knows how it fares, does not answer"

    assert [trouble(stack_settings, part) for part in airflow.PARTS] == ["nothing listens on its port", aside, aside]
