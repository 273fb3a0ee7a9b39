"""Logs of Airflow's tasks that nobody will read any more are removed."""

from __future__ import annotations

import os
import time
from pathlib import Path

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable, dag, task

from dags.command import DEFAULTS
from dags.logs import remove_old

KEPT_DAYS = 21


@dag(
    # Once a week too, so that nights that fail do not fill the disk.
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("45 3 * * 0", timezone="UTC"), assets=[Asset("sauda://gold/purchases")]
    ),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["housekeeping"],
    doc_md=__doc__,
)
def housekeeping() -> None:
    """When a night is over."""

    @task
    def old_logs() -> int:
        folder = Path(os.environ["AIRFLOW__LOGGING__BASE_LOG_FOLDER"])
        removed = remove_old(folder, time.time() - KEPT_DAYS * 86_400)
        print(f"{removed} files older than {KEPT_DAYS} days are removed from {folder}.")
        return removed

    old_logs()


housekeeping()
