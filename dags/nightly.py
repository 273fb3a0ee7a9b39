"""The nights: a DAG for each domain that has gold tables, made from the contracts.

Gates stand before each table's push, inside the one Spark session that builds the domain; a table that a gate stops
makes its task red and keeps what it showed.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Asset, Param, TriggerRule, dag, task

from dags.command import DEFAULTS, Command
from schemas.contract import contracts, tables

ELSEWHERE = {"procurement": "procurement_daily", "shop": "shop_nightly", "rates": "rates_daily"}
"""Domains that a DAG of their own builds after it has collected."""
LOOK_SECONDS, LONGEST_SECONDS = 30, 2 * 3600
DAY = (
    "{{ '--day=' ~ (ds if dag_run.run_type == 'backfill' else params.day) "
    "if dag_run.run_type == 'backfill' or params.day else '' }}"
)
# What has no day is made whole: once is enough for all days of a backfill.
PART = "{{ '--only-by-day' if dag_run.run_type == 'backfill' and params.whole_on and params.whole_on != ds else '' }}"


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
    def made() -> None:
        sources = {source.domain for table in tables("gold", domain) for source in table.built_from}
        others = sorted(sources & set(ELSEWHERE) - {domain})
        build = Command(
            task_id="build", module="jobs.commands.run", arguments=[domain, DAY, PART, "--json"],
            inlets=[Asset(f"sauda://silver/{other}") for other in others], trigger_rule=TriggerRule.NONE_FAILED,
        )  # fmt: skip
        for other in others:
            ended(other) >> build
        if topics := sorted({c.topic for c in contracts() if c.topic and c.domain == domain}):
            Command(task_id="settle", module="jobs.commands.settle", arguments=topics) >> build
        shown = [Asset(f"sauda://gold/{domain}")]
        build >> Command(task_id="reconcile", module="jobs.commands.reconcile", arguments=["--json"], outlets=shown)

    return made()


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
        return bool(ti.get_dr_count(dag_id=ELSEWHERE[other], states=["queued", "running"]) == 0)

    return no_run()


for _domain in sorted({table.domain for table in tables("gold")} - set(ELSEWHERE)):
    globals()[f"{_domain}_nightly"] = night(_domain)
