"""The streams: one process for all domains, or several that it starts itself, as `stream_processes` says."""

from __future__ import annotations

import sys

from conf import Settings
from conf.stream_progress import stream_progress
from infra.local.parts import Machine, Part, Port, configured_by


def probe(settings: Settings) -> str | None:
    return None if stream_progress(settings).get("ready") else "its queries are still starting"


def environment(settings: Settings) -> dict[str, str]:
    # The supervisor keeps the environment of its own start: a setting changed since then comes this way.
    # What it was told of Kafka's login it keeps for life.
    return settings.environment() | configured_by(settings.run / "kafka")


def command(_: Machine) -> list[str]:
    return [
        *(sys.executable, "-m", "infra.local.processes.single_instance", "stream"),
        *(sys.executable, "-m", "streaming.run"),
    ]


def ports(settings: Settings) -> tuple[Port, ...]:
    """A Spark UI and metrics for each process, counted up from the settings."""
    all_ports = [Port("spark_ui", "the stream's Spark UI"), Port("metrics", "the stream's metrics")]
    for number in range(1, len(settings.stream_groups)):
        whose = f"stream {number + 1}'s"
        all_ports += [Port("spark_ui", f"{whose} Spark UI", number), Port("metrics", f"{whose} metrics", number)]
    return tuple(all_ports)


def parts(settings: Settings) -> tuple[Part, ...]:
    return (
        Part(
            "stream",
            "Stream",
            order=40,
            command=command,
            probe=probe,
            ports=ports(settings),
            env=environment,
            after=("Jars of Spark",),
            patience_seconds=240,
            stop_seconds=30,
        ),
    )
