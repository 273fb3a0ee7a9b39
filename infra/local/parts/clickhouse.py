"""ClickHouse: what users ask."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from pathlib import Path

from conf import REPOSITORY, Settings
from infra.local.parts import Machine, Part, Port, configured_by
from infra.local.processes import landlock, owner


def folders(settings: Settings) -> tuple[Path, Path]:
    """What ClickHouse writes to: its data and its logs."""
    return settings.data / "clickhouse", settings.logs / "clickhouse"


def command(machine: Machine) -> list[str]:
    settings = machine.settings
    return [
        *owner.as_user(owner.DAEMON, [*owner.python(), REPOSITORY, settings.run, settings.data, settings.logs]),
        *(sys.executable, "-m", "infra.local.servers.clickhouse_server"),
        *map(str, (settings.run / "clickhouse", *folders(settings))),
    ]


def probe(settings: Settings) -> str | None:
    host, port = settings.clickhouse
    request = urllib.request.Request(
        f"http://{host}:{port}/?query=SELECT+1",
        headers={"X-ClickHouse-User": settings.clickhouse_user, "X-ClickHouse-Key": settings.clickhouse_secret},
    )
    try:
        with urllib.request.urlopen(request, timeout=3) as answer:
            return None if answer.read().strip() == b"1" else "it does not count to one"
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode(errors="replace").strip()[:300]


def prepare(machine: Machine) -> str:
    """Give its folders to the user who runs it, also those of an older start."""
    for folder in folders(machine.settings):
        folder.mkdir(parents=True, exist_ok=True)
        owner.give(owner.DAEMON, folder)
    return "" if landlock.version() else "the kernel has no Landlock (Linux 5.19): users can read files of the server"


PARTS = (
    Part(
        "clickhouse",
        "ClickHouse",
        order=30,
        command=command,
        probe=probe,
        ports=(Port("clickhouse", "ClickHouse over HTTP"), Port("clickhouse_tcp", "ClickHouse over TCP")),
        env=lambda settings: configured_by(settings.run / "clickhouse"),
        prepare=prepare,
        holds_data=True,
        stop_seconds=3,
    ),
)
