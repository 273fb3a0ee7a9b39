"""What registers are known to write otherwise than one would think, down to silver's columns: a trap a test."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.streaming.core.test_field_mapping import _zone, branches, judged

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from streaming.core.domain import Branch

__all__ = ["_zone", "branches"]

SPEC = [{"ref_ekrb_id": 1, "fin_year": 2026, "plan_sum": "1500.00", "fact_sum": "0"}]
NOON = datetime(2026, 1, 31, 7, tzinfo=UTC)
"""Noon in Almaty."""
TRAPS: list[tuple[str, dict[str, Any], str, Any]] = [
    # No announcement: 0 stays what it is, and refers to nothing (`schemas.derive.checks`).
    ("contracts", {"id": 1, "trd_buy_id": 0}, "tender_id", "0"),
    ("lots", {"id": 1, "trd_buy_id": "0"}, "tender_id", "0"),
    ("contract_items", {"id": 1, "contract_registry_id": 2, "lot_id": 0}, "lot_id", "0"),
    # Places are texts in the list and numbers in the entry.
    ("debarments", {"id": "1", "system_id": 3, "kato_list": ["750000000"]}, "kato_codes", ["750000000"]),
    ("debarments", {"id": "1", "system_id": 3, "kato_list": [750000000]}, "kato_codes", [750000000]),
    ("debarments", {"id": "1", "system_id": 3, "kato_list": None}, "kato_codes", None),
    # Sums of budget lines are texts, and stay so.
    ("contract_items", {"id": 1, "contract_registry_id": 2, "spec": SPEC}, "budget", SPEC),
    # A justification is a list in one place and a number in another.
    ("contracts", {"id": 1, "ref_amendm_agreem_justif_id": [3, 4]}, "amendment_codes", [3, 4]),
    ("contracts", {"id": 1, "ref_amendm_agreem_justif_id": []}, "amendment_codes", []),
    # A time with T and without a zone is the register's own.
    ("contracts", {"id": 1, "sign_date": "2026-01-31T12:00:00"}, "signed_at", NOON),
    ("contracts", {"id": 1, "sign_date": "2026-01-31 12:00:00"}, "signed_at", NOON),
    ("contracts", {"id": 1, "sign_date": "2026-01-31T12:00:00.000000"}, "signed_at", NOON),
    # The list of deleted plans says 0 of those that are not.
    ("deletions", {"id": 1, "is_deleted": 0}, "is_deleted", False),
    ("deletions", {"service_name": "lots", "object_id": "1"}, "is_deleted", None),
]  # fmt: skip


@pytest.fixture(scope="module")
def lines(spark: SparkSession, branches: dict[str, Branch]) -> dict[int, dict[str, Any]]:
    """By its place among the traps what became of each row: a table's rows are read together."""
    actual = {}
    for table in {trap[0] for trap in TRAPS}:
        places = [n for n, trap in enumerate(TRAPS) if trap[0] == table]
        for n, verdict in zip(places, judged(spark, branches[table], *(TRAPS[n][1] for n in places)), strict=True):
            (actual[n],) = verdict.lines
    return actual


@pytest.mark.parametrize("n", range(len(TRAPS)), ids=[f"{t[0]}-{t[2]}-{n}" for n, t in enumerate(TRAPS)])
def test_a_trap_of_the_registers(lines: dict[int, dict[str, Any]], n: int) -> None:
    _, _, column, expected = TRAPS[n]

    actual = lines[n][column]
    assert (json.loads(actual) if isinstance(expected, list) else actual) == expected
