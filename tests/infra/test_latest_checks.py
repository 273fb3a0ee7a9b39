"""The view of the last checks: what clears what a check before has stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.contract import contract
from schemas.ops.quality import Quality
from tests.support.clickhouse import answers, definitions, inserted

QUALITY = contract(Quality)
TABLE = "gold.purchases_hourly"
CHECK = "order_count.at_least(0)"
QUERY = "SELECT table_name, day, outcome FROM ops.latest_checks ORDER BY table_name, day"


def check(hour: int, day: str | None, outcome: str, table: str = TABLE) -> dict[str, Any]:
    at = f"2026-01-05 {hour:02}:00:00"
    return {"run_id": f"run{hour}", "checked_at": at, "domain": "purchases", "collection_code": "",
            "table_name": table, "check_name": CHECK, "outcome": outcome, "day": day}  # fmt: skip


@pytest.mark.parametrize(
    ("checks", "shown"),
    [
        pytest.param(
            [check(1, "all", "stopped"), check(2, "2026-01-04", "passed")],
            [["2026-01-04", "passed"], ["all", "stopped"]],
            id="a day that passes says nothing of the other days",
        ),
        pytest.param(
            [check(1, "all", "stopped"), check(2, "all", "passed")],
            [["all", "passed"]],
            id="a whole run clears a whole run's stop",
        ),
        pytest.param(
            [check(1, "2026-01-04", "stopped"), check(2, "2026-01-03", "passed"), check(3, "2026-01-04", "passed")],
            [["2026-01-03", "passed"], ["2026-01-04", "passed"]],
            id="a day's stop is cleared by that day",
        ),
        pytest.param(
            [check(1, "2026-01-04", "stopped"), check(2, "all", "passed")],
            [["all", "passed"]],
            id="a day's stop is cleared by a whole run",
        ),
        pytest.param(
            [check(1, None, "stopped"), check(2, "2026-01-04", "passed")],
            [["2026-01-04", "passed"], ["all", "stopped"]],
            id="a check of before the day was kept was of all",
        ),
        pytest.param(
            [check(1, "all", "stopped", "gold.purchases_products"), check(2, "all", "passed")],
            [["all", "passed"], ["all", "stopped"]],
            id="another table clears nothing",
        ),
    ],
)
def test_only_what_looks_at_as_much_clears_a_stop(
    tmp_path: Path, checks: list[dict[str, Any]], shown: list[list[str]]
) -> None:
    actual = answers(tmp_path, [*definitions(), inserted(QUALITY, checks), QUERY])

    assert [row[1:] for row in actual] == shown
