"""PostgreSQL: the shop's database, and Airflow's."""

from __future__ import annotations

from infra.local.parts import Machine, Part, Port
from infra.local.servers import postgres


def prepare(machine: Machine) -> str:
    postgres.initialise(machine.settings)
    return ""


PARTS = (
    Part(
        "postgres",
        "PostgreSQL",
        order=70,
        command=lambda machine: postgres.command(machine.settings),
        probe=postgres.trouble,
        ports=(Port("postgres", "PostgreSQL"),),
        after=("PostgreSQL's binaries",),
        prepare=prepare,
        is_here=lambda settings: not settings.postgres_url,
        stop_seconds=10,
        # Its word for: end the sessions and stop. TERM would wait until they end by themselves.
        stop_signal="INT",
    ),
)
