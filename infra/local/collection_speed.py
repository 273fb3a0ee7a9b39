"""How fast the collections that run now ask their services, as they write it down themselves."""

from __future__ import annotations

import json
import time
from typing import Any

import psutil

from conf import Settings

OLDEST_SECONDS = 30.0
"""A collection writes each second. What is older was left behind by one that was killed."""


def running(settings: Settings) -> list[dict[str, Any]]:
    """Of each collection that runs: its name, its requests a second now and at most, and what holds them back."""
    active = []
    for file in sorted((settings.data / "collections").glob("*.pace.json")):
        try:
            age = time.time() - file.stat().st_mtime
            pace: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # It ended while we looked.
        if age < OLDEST_SECONDS and psutil.pid_exists(pace["process"]):
            active.append(pace)
    return active


def sentence(pace: dict[str, Any]) -> str:
    """``Collecting goszakup: 42.0 of 60.0 requests/s; the service answered 429 at 60.0 requests/s, 3 s ago``."""
    rate, highest = pace["requests_per_second"], pace["highest_requests_per_second"]
    held_by = f"; {pace['held_by']}" if pace["held_by"] else ""
    return f"Collecting {pace['collection']}: {rate:,.1f} of {highest:,.1f} requests/s{held_by}"
