"""Rows of procurement's silver tables for tests: what is not drawn is empty, so that each case says what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from schemas.contract import Contract, contract
from schemas.derive.fakes import Row, fill
from tests.support.tables import rows_from_text

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def silver(table: type, text: str) -> list[Row]:
    """Whole rows of a silver table from a drawing: of collection `c` and in tenge, all optional columns empty."""
    declared = contract(table)
    return [_whole(declared, row, number) for number, row in enumerate(rows_from_text(declared, text))]


def gold(table: type, text: str) -> list[Row]:
    """Whole rows of a gold table from a drawing, in the same way."""
    return silver(table, text)


def _whole(table: Contract, drawn: Mapping[str, Any], number: int) -> Row:
    empty: Row = {c.name: None for c in table.columns if c.optional}
    usual: dict[str, Any] = {
        "collection_code": "c", "currency_code": "KZT", "changed_at": LONG_AGO, "ingested_at": LONG_AGO,
        "line_no": 0, "event_id": f"e{number}", "kafka_offset": number, "kafka_partition": 0,
    }  # fmt: skip
    kinds = {
        "FLAG": False, "COUNT": 0, "NUMBER": 0.0, "CODE": "unknown", "TEXT": "", "SUM": 0, "MONEY": 0,
    } if table.layer == "gold" else {}  # fmt: skip
    plain = {c.name: kinds[c.type.name] for c in table.columns if c.type.name in kinds and not c.optional}
    common = {name: value for name, value in usual.items() if name in table.columns}
    return fill(table, {**plain, **empty, **common, **drawn}, number)
