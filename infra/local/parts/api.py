"""The REST API, which serves the page too."""

from __future__ import annotations

import sys

from conf import LOOPBACK, Settings
from infra.local.parts import Machine, Part, Port, configured_by, get


def probe(settings: Settings) -> str | None:
    status, _ = get(f"http://{LOOPBACK}:{settings.port('api')}/healthz")
    return None if status == 200 else f"it answers {status}"


def command(_: Machine) -> list[str]:
    return [sys.executable, "-m", "api"]


def parts(settings: Settings) -> tuple[Part, ...]:
    return (
        Part(
            "api",
            "REST API",
            order=80,
            command=command,
            probe=probe,
            ports=(Port("api", "the REST API"),),
            env=lambda settings: settings.environment() | configured_by(settings.run / "kafka"),
            # Requests under way, and then what waits for Kafka.
            stop_seconds=settings.api_stop_seconds + int(settings.api_kafka_seconds) + 5,
        ),
    )
