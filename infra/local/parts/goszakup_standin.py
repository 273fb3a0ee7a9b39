"""The stand-in of goszakup, which the demo collects from."""

from __future__ import annotations

import sys

from conf import LOOPBACK, Settings
from conf.domains.procurement import ProcurementSettings
from infra.local.parts import Machine, Part, Port, get


def command(machine: Machine) -> list[str]:
    settings = ProcurementSettings.of(machine.settings)
    return [
        *(sys.executable, "-m", "standins.goszakup"),
        *("--port", str(settings.port("goszakup_standin")), "--lots", str(settings.goszakup_standin_lots)),
        *("--truths", str(settings.data / "goszakup-truths.json")),
    ]


def probe(settings: Settings) -> str | None:
    # Without a token it refuses, and so shows that it is there.
    status, _ = get(f"http://{LOOPBACK}:{settings.port('goszakup_standin')}/v3/lots")
    return None if status in (401, 403) else f"it answers {status}"


PARTS = (
    Part(
        "standin",
        "Stand-in of goszakup",
        order=60,
        command=command,
        probe=probe,
        ports=(Port("goszakup_standin", "the stand-in of goszakup"),),
        env=lambda settings: {"SAUDA_GOSZAKUP_TOKEN": settings.secret("goszakup_standin")},
    ),
)
