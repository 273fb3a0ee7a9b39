"""Procurement, daily: dictionaries, then all registers side by side, then what came is judged and compared."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import Asset, Param, TriggerRule, dag, task

from dags.command import DEFAULTS, NO_BACKFILL, Command, reconcile
from dags.tables import collected
from schemas.contract import tables
from schemas.procurement import TOPIC
from schemas.procurement.endpoints import registers

DOMAIN = "procurement"
HAS_TOKEN = bool(os.environ.get("SAUDA_GOSZAKUP_TOKEN") or os.environ.get("SAUDA_GOSZAKUP_TOKEN_FILE"))
COLLECT = "procurement.goszakup"
STAND_IN = "{{ '--stand-in' if params.stand_in else '' }}"
FULL = "{{ '--full' if params.full else '' }}"
SINCE = "{{ '--since=' ~ params.since if params.since else '' }}"
# Other collections have their own days; what is wrong with them must not stop this one's.
OWN = os.environ.get("SAUDA_GOSZAKUP_COLLECTION", "goszakup")
COLLECTION = "--collection={{ 'goszakup_standin' if params.stand_in else '" + OWN + "' }}"
DICTIONARIES = [endpoint.name for endpoint in registers() if endpoint.path.startswith("/v3/refs/")]


@dag(
    schedule="30 20 * * *",
    catchup=False,
    max_active_runs=1,
    allowed_run_types=NO_BACKFILL,
    default_args=DEFAULTS,
    tags=[DOMAIN],
    doc_md=__doc__,
    params={
        "stand_in": Param(
            not HAS_TOKEN, type="boolean", description="Ask the stand-in on this machine: so where no token is set."
        ),
        "full": Param(False, type="boolean", description="Walk each register to its end, not only to known ids."),
        "since": Param(
            None, type=["null", "string"], format="date",
            description="Ask the journal for changes since this day; else since a day before the last time.",
        ),
    },
)  # fmt: skip
def procurement_daily() -> None:
    """Half past one in the morning in Astana, when the service's day is over."""
    named = [word for name in DICTIONARIES for word in ("--register", name)]
    dictionaries = Command(
        task_id="dictionaries", module="ingestion.core.run", arguments=[COLLECT, STAND_IN, FULL, "--json", *named]
    )
    # One command for all: it walks them side by side under one limit of requests, and a retry goes on where it stood.
    lists = Command(
        task_id="registers", module="ingestion.core.run", arguments=[COLLECT, STAND_IN, FULL, SINCE, "--json"]
    )

    # Where a register has failed the summary is wanted most.
    @task(trigger_rule=TriggerRule.ALL_DONE)
    def summary(*accounts: dict[str, Any] | None) -> None:
        """Counts by register and the slowest calls, of what is known: nothing of a command that did not get so far."""
        print(collected(run for account in accounts if account for run in account["registers"]))

    settle = Command(task_id="settle", module="jobs.commands.settle", arguments=[TOPIC])
    gates = Command(task_id="gates", module="jobs.commands.check", arguments=[DOMAIN, COLLECTION, "--json"])
    drift = Command(task_id="drift", module="jobs.commands.drift", arguments=[f"--domain={DOMAIN}"])
    last = reconcile(DOMAIN, outlets=[Asset(f"sauda://silver/{DOMAIN}")])
    dictionaries >> lists >> settle >> [gates, drift]
    summary(dictionaries.output, lists.output)
    if tables("gold", DOMAIN):
        build = Command(task_id="build", module="jobs.commands.run", arguments=[DOMAIN, "--json"], domain=DOMAIN)
        gates >> build >> last
    else:
        gates >> last


procurement_daily()
