"""The nights: a DAG for each domain that has gold tables, made from the contracts.

Gates stand before each table's push, inside the one Spark session that builds the domain; a table that a gate stops
makes its task red and keeps what it showed.
"""

from __future__ import annotations

from airflow.sdk import DAG, Asset, Param, dag

from dags.command import DEFAULTS, Command
from schemas.contract import contracts, tables

ELSEWHERE = {"procurement", "shop"}
"""Domains whose own DAG builds them after it has collected."""


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
        },
    )
    def made() -> None:
        day = "{{ '--day=' ~ (ds if dag_run.run_type == 'backfill' else params.day) " \
              "if dag_run.run_type == 'backfill' or params.day else '' }}"  # fmt: skip
        topic = next(c.topic for c in contracts() if c.topic and c.domain == domain)
        settle = Command(task_id="settle", module="jobs.settle", arguments=[topic])
        build = Command(task_id="build", module="jobs.run", arguments=[domain, day, "--json"])
        shown = [Asset(f"sauda://gold/{domain}")]
        compare = Command(task_id="reconcile", module="jobs.reconcile", arguments=["--json"], outlets=shown)
        settle >> build >> compare

    return made()


for _domain in sorted({table.domain for table in tables("gold")} - ELSEWHERE):
    globals()[f"{_domain}_nightly"] = night(_domain)
