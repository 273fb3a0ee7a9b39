"""A column of a contract: a name that carries its facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from schemas.contract.rules import OnFail, Rule
from schemas.contract.types import LogicalType

if TYPE_CHECKING:
    from schemas.contract import Contract

PERSONAL = ("name", "email", "phone", "address")
"""The kinds of personal data a column may hold."""


class Column(str):
    """A column's name that carries the column's facts. Being a `str`, it goes wherever a name goes."""

    type: LogicalType
    description: str
    rules: tuple[Rule, ...]
    key: bool
    optional: bool
    serving: bool
    items: Contract | None
    source_fields: tuple[str, ...]
    mask: tuple[str, ...]
    personal: str
    refers_to: str
    refers_within: str
    unresolved_pct: float
    lookup: bool
    content: bool
    meaning: str
    """The description without its note."""
    differs: str

    @property
    def name(self) -> str:
        return str(self)


@dataclass(frozen=True)
class UnnamedColumn:
    """A column before its class gives it a name."""

    facts: Mapping[str, Any]


def col(
    type: LogicalType,
    description: str,
    *rules: Rule,
    key: bool = False,
    optional: bool = False,
    serving: bool = True,
    on_fail: OnFail | None = None,
    items: type | None = None,
    source_fields: str = "",
    mask: str = "",
    personal: str = "",
    refers_to: str = "",
    refers_within: str = "",
    unresolved_pct: float = 0,
    lookup: bool = False,
    content: bool = True,
    note: str = "",
    differs: str = "",
) -> str:
    """Declare a column. It is required unless `optional`.

    - `key`: the key columns together name a row.
    - `serving=False`: ClickHouse does not hold the column.
    - `on_fail`: replaces the outcome of the column's rules.
    - `items`: the record class of a list column (events only).
    - `source_fields`: the fields of a feed's rows from which the column is read; the first that is filled counts.
    - `mask`: hides a natural person. `code` stores a keyed hash of a person's code; `person` stores a keyed hash of
      any value; other words are the fields with the code of the value's owner, and a person's value is left out.
    - `personal`: what the column tells of a natural person (one of `PERSONAL`). ClickHouse never holds such a column.
    - `refers_to`: the column of another table whose values these are (``silver.shop_orders.order_id``); of a split
      table, the column of one of its views. See `schemas.contract.references`.
    - `refers_within`: a column of both tables. The reference is checked only for rows whose value of this column
      occurs in the other table.
    - `unresolved_pct`: the percentage of rows that may refer to nothing before the nightly check warns.
    - `lookup`: users search rows by this column in ClickHouse. It gets an index, and a table of versions gets a view
      that finds the rows that hold today by it.
    - `content=False`: the column is not part of the content of an event (`schemas.derive.content_id`).
    - `note`: what is special in this table; it follows the description, after a semicolon.
    - `differs`: why the column has another type or meaning than the column of this name in other tables.
    """
    if personal and personal not in PERSONAL:
        raise ValueError(f"personal={personal!r} is not known; there are {', '.join(PERSONAL)}")
    if not description.endswith("."):
        raise ValueError(f"the description {description!r} must be a sentence that ends with a full stop")
    if on_fail is not None:
        rules = tuple(replace(rule, on_fail=on_fail) for rule in rules)
    facts = {
        "type": type, "description": f"{description[:-1]}; {note}." if note else description, "meaning": description,
        "differs": differs, "rules": tuple(rules), "key": key, "optional": optional,
        "serving": serving and not personal, "items": items, "source_fields": tuple(source_fields.split()),
        "mask": tuple(mask.split()), "personal": personal, "refers_to": refers_to, "refers_within": refers_within,
        "unresolved_pct": unresolved_pct, "lookup": lookup, "content": content,
    }  # fmt: skip
    return UnnamedColumn(facts)  # type: ignore[return-value]


def like(
    column: str,
    *,
    key: bool = False,
    optional: bool = False,
    serving: bool = True,
    with_rules: bool = False,
    lookup: bool = False,
) -> str:
    """The same column in another table: its type, its description and what it tells of a person.

    Its rules are copied only `with_rules`: a value that was checked once needs no second check.
    """
    if not isinstance(column, Column):
        raise TypeError(f"{column!r} is not a column of a contract")
    note = column.description.removeprefix(column.meaning[:-1]).removeprefix("; ").removesuffix(".")
    return col(
        column.type, column.meaning, *(column.rules if with_rules else ()), key=key, optional=optional,
        serving=serving, personal=column.personal, lookup=lookup, note=note, differs=column.differs,
    )  # fmt: skip
