"""The DAGs as Airflow reads them, in its own environment, where nothing of the stack is installed."""

import importlib.util
import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conf import REPOSITORY, settings
from schemas.contract import tables
from schemas.procurement.endpoints import registers


@cache
def read(token: str = "") -> Any:
    """What Airflow finds in the folder, with or without a token of goszakup in its environment."""
    python = settings().tools / "airflow" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Airflow's environment is missing ({python}): ./start.sh test makes it")
    home = settings().home / "cache" / "airflow-tests"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SAUDA_", "AIRFLOW"))}
    env |= {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONPATH": str(REPOSITORY)}
    env |= {"AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"} | ({"SAUDA_GOSZAKUP_TOKEN": token} if token else {})
    script = Path(__file__).with_name("airflow_dags.py")
    done = subprocess.run(
        [python, script, REPOSITORY / "dags"], env=env, cwd=home.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def tasks(dag: str) -> Any:
    return read()["dags"][dag]["tasks"]


def test_they_are_read_without_spark_and_without_any_service() -> None:
    assert read()["errors"] == {}
    assert not {"pyspark", "delta", "confluent_kafka", "clickhouse_connect", "conf", "jobs"} & set(read()["loaded"])


def test_there_is_one_for_each_domain_with_gold_tables_and_the_collector() -> None:
    nightly = {f"{t.domain}_nightly" for t in tables("gold")} - {"procurement_nightly"}

    assert "purchases_nightly" in nightly
    assert set(read()["dags"]) == nightly | {"shop_nightly", "procurement_daily", "housekeeping"}


def test_no_run_begins_beside_another_and_none_makes_up_for_days_when_nothing_ran() -> None:
    assert {(dag["active_runs"], dag["catchup"]) for dag in read()["dags"].values()} == {(1, False)}


def test_each_command_is_there_and_is_tried_again_later_and_later() -> None:
    for dag in read()["dags"].values():
        for name, task in dag["tasks"].items():
            assert task["retries"] >= 1, name
            assert task["backs_off"], name
            assert task["hours"], name
            if task["module"]:
                assert importlib.util.find_spec(task["module"]), f"{name} runs {task['module']}"


def test_dictionaries_come_first_and_gates_after_all_is_in_the_lake() -> None:
    found = tasks("procurement_daily")
    named = found["dictionaries"]["arguments"]

    assert sum(e.path.startswith("/v3/refs/") for e in registers()) == named.count("--register") == 30
    assert found["registers"]["after"] == ["dictionaries"]
    assert found["settle"]["after"] == ["registers"]
    assert found["gates"]["after"] == ["settle"]
    assert "gates" in found["reconcile"]["after"] or "build" in found["reconcile"]["after"]
    assert found["summary"]["after"] == ["dictionaries", "registers"]


def test_customers_and_products_are_in_the_stage_before_it_is_loaded() -> None:
    found = tasks("shop_nightly")

    assert found["load"]["after"] == ["customers", "products", "settle"]
    assert found["reconcile"]["after"] == ["load"]
    assert "--full-check" in found["customers"]["arguments"]


def test_nothing_is_published_before_it_is_built_nor_compared_before_it_is_published() -> None:
    found = tasks("purchases_nightly")

    assert found["build"]["after"] == ["settle"]
    assert found["reconcile"]["after"] == ["build"]
