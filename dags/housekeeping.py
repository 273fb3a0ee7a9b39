"""Logs of Airflow's tasks that nobody will read any more are removed."""

from __future__ import annotations

import os
import time
from pathlib import Path

from airflow.sdk import dag, task

from dags.command import DEFAULTS
from dags.logs import remove_old

KEPT_DAYS = 21


@dag(
    schedule="45 3 * * *",
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["housekeeping"],
    doc_md=__doc__,
)
def housekeeping() -> None:
    """Daily, when the nights are over."""

    @task
    def old_logs() -> int:
        folder = Path(os.environ["AIRFLOW__LOGGING__BASE_LOG_FOLDER"])
        removed = remove_old(folder, time.time() - KEPT_DAYS * 86_400)
        print(f"{removed} files older than {KEPT_DAYS} days are removed from {folder}.")
        return removed

    old_logs()


housekeeping()
