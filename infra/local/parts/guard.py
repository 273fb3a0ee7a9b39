"""The guard of disk and supervisor."""

from __future__ import annotations

import sys

from conf import Settings
from infra.local.parts import Part


def probe(_: Settings) -> str | None:
    # It has no port: the supervisor knows whether it lives.
    return None


PARTS = (
    Part(
        "guard",
        "Guard of disk and supervisor",
        order=100,
        command=lambda _: [sys.executable, "-m", "infra.local.processes.disk_guard"],
        probe=probe,
        env=lambda settings: settings.environment(),
        patience_seconds=30,
        starts_itself=True,
    ),
)
