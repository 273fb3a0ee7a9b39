"""Columns that several tables have: type and meaning are said once, each table adds what is its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

from schemas.contract.column import col
from schemas.contract.rules import OnFail, Rule
from schemas.contract.types import LogicalType


class ColumnOptions(TypedDict, total=False):
    """The options of `col`."""

    key: bool
    optional: bool
    serving: bool
    on_fail: OnFail | None
    source_fields: str
    mask: str
    personal: str
    refers_to: str
    refers_within: str
    unresolved_pct: float
    lookup: bool
    content: bool
    note: str
    differs: str


@dataclass(frozen=True)
class SharedColumn:
    """Called, it declares the column in one table: ``seller_id = SELLER_ID(key=True)``.

    `note` says what is special in this table; it follows the meaning, after a semicolon. `type` is given only where a
    table holds another type than all others, with the reason in `differs`. `defaults` are options that nearly every
    table takes.
    """

    type: LogicalType
    meaning: str
    defaults: ColumnOptions

    def __call__(self, *rules: Rule, type: LogicalType | None = None, **options: Unpack[ColumnOptions]) -> str:
        if type is not None and not options.get("differs"):
            raise ValueError("a type of its own needs a reason: differs=…")
        merged: ColumnOptions = {**self.defaults, **options}
        return col(type or self.type, self.meaning, *rules, **merged)


def shared(type: LogicalType, meaning: str, **defaults: Unpack[ColumnOptions]) -> SharedColumn:
    """Declare a column that several tables have, in ``schemas/common/columns.py`` or the domain's ``columns.py``.

    The constant bears the column's name in capitals: ``SELLER_ID`` is the column ``seller_id``.
    """
    return SharedColumn(type, meaning, defaults)
