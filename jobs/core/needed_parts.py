"""The parts a job needs, looked for before anything is begun."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from conf import Settings
from jobs.core.errors import Failed

REMEDY = "Start it: ./start.sh   (what runs: ./start.sh status)"


def need_parts(settings: Settings, *, lake: bool = True) -> None:
    """Raises Failed, naming each part that does not answer and how to start it. `lake=False`: ClickHouse is enough."""
    s3 = urlsplit(settings.s3)
    wanted = {"ClickHouse": settings.clickhouse}
    if lake:
        wanted["MinIO (the lake)"] = (s3.hostname or "", s3.port or (443 if s3.scheme == "https" else 80))
    silent = [
        f"{name} does not answer at {host}:{port}." for name, (host, port) in wanted.items() if not _up(host, port)
    ]
    if silent:
        raise Failed("\n".join([*silent, REMEDY]))


def _up(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=3):
            return True
    except OSError:
        return False
