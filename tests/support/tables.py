"""Tables drawn as text, typed by a contract: what tests of transforms give and expect.

    | seller_id | sold_on    | line_amount | customer_id |
    | s1        | 2026-01-31 | 12.50       |             |

An empty cell is None, '' an empty text. Times are UTC: ``2026-01-31 09:30`` or ``2026-01-31T09:30:00.5Z``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schemas.contract import Column, Contract
from schemas.derive.fakes import Row, fill


def table_from_text(contract: Contract, text: str) -> list[Row]:
    """Whole rows: columns that are not drawn are filled with valid fakes. Raises ValueError for a bad drawing."""
    return [fill(contract, row, number) for number, row in enumerate(rows_from_text(contract, text))]


def rows_from_text(contract: Contract, text: str) -> list[Row]:
    """The rows with the drawn columns only, for comparing with what a transform made."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    drawn = [line for line in lines if "-" not in line or set(line) - set("|-: ")]
    if not drawn or any(not (line.startswith("|") and line.endswith("|")) for line in drawn):
        raise ValueError(f"each line of the drawn table must begin and end with |:\n{text}")
    header, *body = ([cell.strip() for cell in line[1:-1].split("|")] for line in drawn)
    columns = [contract.column(name) for name in header]
    for cells in body:
        if len(cells) != len(columns):
            raise ValueError(f"the row {cells} has {len(cells)} cells, the header has {len(columns)}")
    return [{c.name: _value(c, cell) for c, cell in zip(columns, cells, strict=True)} for cells in body]


def _value(column: Column, cell: str) -> Any:
    if not cell:
        if not column.optional:
            raise ValueError(f"{column} is required: its cell cannot be empty (write '' for an empty text)")
        return None
    try:
        return _READERS.get(column.type.name, _text)(cell)
    except (ValueError, ArithmeticError, KeyError):
        raise ValueError(f"{column} must be {column.type.article}; found {cell!r}") from None


def _text(cell: str) -> str:
    return "" if cell == "''" else cell


def _instant(cell: str) -> datetime:
    read = datetime.fromisoformat(cell)
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


_READERS: dict[str, Callable[[str], Any]] = {
    "DAY": date.fromisoformat,
    "INSTANT": _instant,
    "COUNT": int,
    "MONEY": Decimal,
    "RATE": Decimal,
    "SUM": Decimal,
    "NUMBER": float,
    "FLAG": lambda cell: {"true": True, "false": False}[cell.lower()],
    "BYTES": lambda cell: _text(cell).encode(),
}
