"""The nights: a DAG for each domain that has tables in the lake and no DAG of its own, made from the contracts.

A domain that collects has a file here, ``dags/<domain>.py``, whose DAG is called ``<domain>_daily`` or
``<domain>_nightly`` and builds the domain's tables after it has collected.

Gates stand before each table's push, inside the one Spark session that builds the domain; a table that a gate stops
makes its task red and keeps what it showed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, Param, TriggerRule, dag, task

from dags.command import DEFAULTS, Command, reconcile
from schemas.contract import contracts, tables

NAMES = ("{}_daily", "{}_nightly")
"""What the DAG of a domain may be called."""
LOOK_SECONDS, LONGEST_SECONDS = 30, 2 * 3600
DAY = (
    "{{ '--day=' ~ (ds if dag_run.run_type == 'backfill' else params.day) "
    "if dag_run.run_type == 'backfill' or params.day else '' }}"
)
# What has no day is made whole: once is enough for all days of a backfill.
PART = "{{ '--only-by-day' if dag_run.run_type == 'backfill' and params.whole_on and params.whole_on != ds else '' }}"


def has_own_dag(domain: str) -> bool:
    """Whether a file of DAGs is named after the domain."""
    return Path(__file__).with_name(f"{domain}.py").exists()


def night(domain: str) -> DAG:
    """The DAG of a domain. A backfill builds the days of its range, each by itself."""

    @dag(
        dag_id=f"{domain}_nightly",
        schedule="10 0 * * *",
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        tags=[domain],
        doc_md=__doc__,
        params={
            "day": Param(
                None, type=["null", "string"], format="date", description="Build only this day; else everything."
            ),
            "whole_on": Param(
                None, type=["null", "string"], format="date",
                description="In a backfill: tables without a day are built with this day only; else with each.",
            ),
        },
    )  # fmt: skip
    def nightly() -> None:
        nightly_tables = [table for table in tables(domain=domain) if table.refresh == "nightly"]
        sources = {source.domain for table in nightly_tables for source in table.built_from}
        others = sorted(other for other in sources - {domain} if has_own_dag(other))
        last = reconcile(domain, outlets=[Asset(f"sauda://gold/{domain}")])
        first = last
        if nightly_tables:
            first = Command(
                task_id="build", module="jobs.commands.run", arguments=[domain, DAY, PART, "--json"], domain=domain,
                inlets=[Asset(f"sauda://silver/{other}") for other in others], trigger_rule=TriggerRule.NONE_FAILED,
            )  # fmt: skip
            first >> last
        for other in others:
            ended(other) >> first
        if topics := sorted({c.topic for c in contracts() if c.topic and c.domain == domain}):
            Command(task_id="settle", module="jobs.commands.settle", arguments=topics) >> first

    return nightly()


def ended(other: str) -> Any:
    """Waits until another domain's DAG has no run; not for ever, since what that has loaded before will do as well."""

    @task.sensor(
        task_id=f"after_{other}",
        mode="reschedule",
        poke_interval=LOOK_SECONDS,
        timeout=LONGEST_SECONDS,
        soft_fail=True,
    )
    def no_run(ti: Any = None) -> bool:
        states = ["queued", "running"]
        return not any(ti.get_dr_count(dag_id=name.format(other), states=states) for name in NAMES)

    return no_run()


for _domain in sorted({table.domain for table in tables() if table.delta}):
    if not has_own_dag(_domain):
        globals()[f"{_domain}_nightly"] = night(_domain)
