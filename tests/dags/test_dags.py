"""The DAGs as Airflow reads them, in its own environment, where nothing of the stack is installed."""

import importlib.util
from functools import cache
from typing import Any

import jinja2

from conf import REPOSITORY
from infra.local.servers import airflow
from schemas.contract import tables
from schemas.procurement.endpoints import registers
from tests.support.airflow_scripts import by_airflow


@cache
def read() -> Any:
    """What Airflow finds in the folder."""
    return by_airflow("airflow_dags.py", REPOSITORY / "dags")


def tasks(dag: str) -> Any:
    return read()["dags"][dag]["tasks"]


def test_they_are_read_without_spark_and_without_any_service() -> None:
    assert read()["errors"] == {}
    assert not {"pyspark", "delta", "confluent_kafka", "clickhouse_connect", "conf", "jobs"} & set(read()["loaded"])


OWN = {path.stem for path in (REPOSITORY / "dags").glob("*.py")} & {table.domain for table in tables()}
"""Domains with a file of DAGs of their own."""


def test_there_is_one_for_each_domain_by_the_contracts_or_a_file_of_its_own() -> None:
    generated = {table.domain for table in tables() if table.delta} - OWN

    assert "purchases" in generated
    assert {dag.rpartition("_")[0] for dag in read()["dags"]} - {""} == generated | OWN
    assert {dag for dag in read()["dags"] if "_" not in dag} == {"housekeeping"}
    assert {dag.rpartition("_")[2] for dag in read()["dags"]} == {"daily", "nightly", "housekeeping"}


def test_every_domain_with_nightly_tables_is_built_and_every_streamed_one_is_compared() -> None:
    words = [" ".join((t["module"], *t["arguments"])) for dag in read()["dags"].values() for t in dag["tasks"].values()]

    for domain in {table.domain for table in tables() if table.refresh == "nightly"}:
        assert any(w.startswith(f"jobs.commands.run {domain} ") for w in words), f"no DAG builds {domain}"
    for domain in {table.domain for table in tables() if table.delta}:
        assert f"jobs.commands.reconcile --json --domain={domain}" in words, f"no DAG compares {domain}"


def test_no_run_begins_beside_another_and_none_makes_up_for_days_when_nothing_ran() -> None:
    assert {(dag["active_runs"], dag["catchup"]) for dag in read()["dags"].values()} == {(1, False)}


def test_only_what_has_days_can_be_made_up_for() -> None:
    """A backfill of the others would collect today's rows many times at once."""
    for name in ("procurement_daily", "shop_nightly", "rates_daily"):
        assert read()["dags"][name]["run_types"] == ["manual", "scheduled"]
    assert read()["dags"]["purchases_nightly"]["run_types"] == [], "all"


def test_of_the_commands_that_hold_a_domains_lease_one_runs_at_a_time_whichever_dag_it_is_of() -> None:
    holders = {
        f"jobs.commands.{path.stem}"
        for path in (REPOSITORY / "jobs" / "commands").glob("*.py")
        if "from jobs.core.lease import" in path.read_text(encoding="utf-8")
    }
    actual = {
        (task["module"], task["pool"], dag.rpartition("_")[0])
        for dag, facts in read()["dags"].items()
        for task in facts["tasks"].values()
        if task["module"]
    }

    assert {"jobs.commands.run", "jobs.commands.reconcile"} <= holders
    assert {pool for module, pool, _ in actual if module not in holders} == {"default_pool"}
    assert {(pool, domain) for module, pool, domain in actual if module in holders} == {
        (f"jobs_{domain}", domain) for _, _, domain in actual
    }
    assert {pool for module, pool, _ in actual if module in holders} <= set(airflow.pools())
    assert {pool["slots"] for pool in airflow.pools().values()} == {1}


def test_whoever_is_to_know_is_told_of_every_task() -> None:
    for dag in read()["dags"].values():
        assert {tuple(task["told"]) for task in dag["tasks"].values()} == {("tell",)}


def test_each_command_is_there_and_is_tried_again_later_and_later() -> None:
    for dag in read()["dags"].values():
        for name, task in dag["tasks"].items():
            assert task["retries"] >= 1, name
            assert task["backs_off"], name
            assert task["hours"], name
            if task["module"]:
                assert importlib.util.find_spec(task["module"]), f"{name} runs {task['module']}"


def test_dictionaries_come_first_and_gates_after_all_is_in_the_lake() -> None:
    actual = tasks("procurement_daily")
    named = actual["dictionaries"]["arguments"]

    assert sum(e.path.startswith("/v3/refs/") for e in registers()) == named.count("--register") == 30
    assert actual["registers"]["after"] == ["dictionaries"]
    assert actual["settle"]["after"] == ["registers"]
    assert actual["gates"]["after"] == ["settle"]
    assert "gates" in actual["reconcile"]["after"] or "build" in actual["reconcile"]["after"]
    assert actual["summary"]["after"] == ["dictionaries", "registers"]
    assert actual["summary"]["rule"] == "all_done", "it is wanted most where a register has failed"


def test_customers_and_products_are_in_the_stage_before_it_is_loaded() -> None:
    actual = tasks("shop_nightly")

    assert actual["load"]["after"] == ["customers", "products", "settle"]
    assert actual["reconcile"]["after"] == ["load"]
    assert "--full-check" in actual["customers"]["arguments"]


def test_rates_are_collected_before_the_nights_and_are_in_the_lake() -> None:
    actual = tasks("rates_daily")

    assert actual["collect"]["arguments"] == ["rates.nbk", "--json"], "never the stand-in"
    assert actual["settle"]["after"] == ["collect"]
    assert actual["settle"]["arguments"] == ["rates"]
    assert actual["reconcile"]["after"] == ["settle"]


def test_a_night_waits_for_what_another_domain_loads_and_in_the_end_goes_on_without() -> None:
    actual = tasks("purchases_nightly")

    # It holds no slot of the scheduler's meanwhile.
    assert actual["after_shop"]["waits"] == {
        "asked": [
            {"dag_id": "shop_daily", "states": ["queued", "running"]},
            {"dag_id": "shop_nightly", "states": ["queued", "running"]},
        ],
        "goes_on": [True, False], "skips": True, "mode": "reschedule", "for": 7200,
    }  # fmt: skip
    # Skipped is a wait that took too long; a topic that has not settled stops the night all the same.
    assert actual["build"]["rule"] == "none_failed"
    assert actual["settle"]["rule"] == "all_success"


def test_a_backfill_builds_its_days_and_the_rest_once() -> None:
    domain, day, part, _ = tasks("purchases_nightly")["build"]["arguments"]

    def words(run_type: str, ds: str, **params: str) -> list[str]:
        given = {"dag_run": {"run_type": run_type}, "ds": ds, "params": {"day": None, "whole_on": None} | params}
        shown = (jinja2.Template(text).render(given) for text in (domain, day, part))
        return [word for word in shown if word]

    assert words("scheduled", "2026-03-01") == ["purchases"]
    assert words("manual", "2026-03-01", day="2026-02-01") == ["purchases", "--day=2026-02-01"]
    assert words("backfill", "2026-03-01") == ["purchases", "--day=2026-03-01"]
    assert words("backfill", "2026-03-01", whole_on="2026-03-02") == [
        "purchases", "--day=2026-03-01", "--only-by-day",
    ]  # fmt: skip
    assert words("backfill", "2026-03-02", whole_on="2026-03-02") == ["purchases", "--day=2026-03-02"]


def test_nothing_is_published_before_it_is_built_nor_compared_before_it_is_published() -> None:
    actual = tasks("purchases_nightly")

    assert actual["build"]["after"] == ["after_rates", "after_shop", "settle"]
    assert actual["reconcile"]["after"] == ["build"]
