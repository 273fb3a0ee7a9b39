"""A collection that runs writes down its pace, and takes the file away at its end."""

from __future__ import annotations

import json
from pathlib import Path

from ingestion.collecting.limiter import Limiter
from ingestion.collecting.pace_file import PaceFile


def test_the_pace_is_written_once_a_second_and_gone_at_the_end(tmp_path: Path) -> None:
    now = 100.0

    def clock() -> float:
        return now

    limiter, path = Limiter(60, clock), tmp_path / "collections" / "goszakup.pace.json"

    def rate() -> float:
        return float(json.loads(path.read_text())["requests_per_second"])

    with PaceFile(path, "goszakup", limiter, clock) as pace:
        assert rate() == 60
        limiter.too_many()
        pace.update()
        assert rate() == 60, "not twice a second"
        now += 1
        pace.update()
        actual = json.loads(path.read_text())
        assert (actual["requests_per_second"], actual["highest_requests_per_second"]) == (42, 60)
        assert actual["held_by"] == "the service answered 429 at 60.0 requests/s, 1 s ago"
    assert not path.exists()
