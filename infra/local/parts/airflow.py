"""Airflow's three processes."""

from __future__ import annotations

from functools import partial

from conf import Settings
from infra.local.parts import Machine, Part, Port
from infra.local.servers import airflow

TITLES = {
    "airflow": "Airflow",
    "airflow_scheduler": "Airflow's scheduler",
    "airflow_dags": "Airflow's reader of DAGs",
}


def _command(name: str, machine: Machine) -> list[str]:
    return airflow.commands(machine.settings)[name]


def _has_database(settings: Settings) -> bool:
    return bool(settings.airflow_database)


PARTS = tuple(
    Part(
        name,
        title,
        order=90 + place,
        command=partial(_command, name),
        probe=partial(airflow.trouble, name=name),
        ports=(Port("airflow", "Airflow"),) if name == "airflow" else (),
        env=airflow.environment,
        is_here=_has_database,
        patience_seconds=180,
        stop_seconds=20,
    )
    for place, (name, title) in enumerate(TITLES.items())
)
