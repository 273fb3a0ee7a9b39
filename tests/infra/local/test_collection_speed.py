"""What status tells of collections that run."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from rich.console import Console

from conf import Settings
from infra.local import collection_speed
from infra.local.commands import status

PACE = {
    "collection": "goszakup", "process": os.getpid(), "requests_per_second": 42.0,
    "highest_requests_per_second": 60.0, "held_by": "the service answered 429 at 60.0 requests/s, 3 s ago",
}  # fmt: skip
SENTENCE = "Collecting goszakup: 42.0 of 60.0 requests/s; the service answered 429 at 60.0 requests/s, 3 s ago"


def written(settings: Settings, name: str, **more: object) -> Path:
    file = settings.data / "collections" / f"{name}.pace.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(PACE | more))
    return file


def test_a_collection_that_runs_is_told_with_what_holds_it_back(stack_settings: Settings) -> None:
    written(stack_settings, "goszakup.ows")
    (pace,) = collection_speed.running(stack_settings)
    console = Console(record=True, width=60)
    empty = {"parts": [], "stack": "unit", "queries": {}, "counts": {}, "stopped_checks": []}
    status.show(empty | {"collections": [pace]}, console)

    assert SENTENCE in console.export_text()
    assert collection_speed.sentence(pace | {"held_by": ""}) == "Collecting goszakup: 42.0 of 60.0 requests/s"


def test_files_that_killed_collections_left_and_half_written_ones_are_passed_over(stack_settings: Settings) -> None:
    old = written(stack_settings, "old.ows")
    os.utime(old, (time.time() - 60,) * 2)
    written(stack_settings, "dead.ows", process=2**22 + 1)
    written(stack_settings, "half.ows").write_text('{"collection"')

    assert collection_speed.running(stack_settings) == []
