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
"""What a column may tell of a natural person."""


class Column(str):
    """A column's name that carries the column's facts. Being a `str`, it goes wherever a name goes."""

    type: LogicalType
    description: str
    rules: tuple[Rule, ...]
    key: bool
    optional: bool
    serving: bool
    items: Contract | None
    at: tuple[str, ...]
    mask: tuple[str, ...]
    personal: str
    refers_to: str
    refers_within: str
    unresolved_pct: float
    lookup: bool
    content: bool

    @property
    def name(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Pending:
    """A column before its class has given it a name."""

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
    at: str = "",
    mask: str = "",
    personal: str = "",
    refers_to: str = "",
    refers_within: str = "",
    unresolved_pct: float = 0,
    lookup: bool = False,
    content: bool = True,
) -> str:
    """Declare a column. It is required unless `optional`.

    `key` columns together name a row. `serving=False` keeps a column out of ClickHouse.
    `on_fail` replaces the outcome of the column's rules. `items` is the record class of a list column (events only).
    `at` names the fields of a feed's rows that the column is read from; of several the first that is filled counts.
    `mask` hides a natural person: `code` makes a keyed hash of a person's code, other words are the fields with the
    code of whoever the value belongs to, and it is left out where that is a person; `person` hashes whatever it is.
    `personal` says what the column tells of a natural person (one of `PERSONAL`): such a column is never served.
    `refers_to` is the column of another table whose values these are (``silver.shop_orders.order_id``), of a table
    that is split, of a part of it; see `schemas.contract.references`. With `refers_within`, a column of both tables, it
    is held only against rows whose value of that column the other table has at all. Of a finished table's rows
    `unresolved_pct` percent may refer to nothing before a night warns.
    By a column with `lookup` rows are looked up in ClickHouse: it gets an index there, and of a table of versions a
    view that finds the rows that hold today by it. What is no `content` of an event tells nothing of what it says
    (`schemas.derive.content_id`).
    """
    if personal and personal not in PERSONAL:
        raise ValueError(f"personal={personal!r} is not known; there are {', '.join(PERSONAL)}")
    if not description.endswith("."):
        raise ValueError(f"the description {description!r} must be a sentence that ends with a full stop")
    if on_fail is not None:
        rules = tuple(replace(rule, on_fail=on_fail) for rule in rules)
    facts = {
        "type": type, "description": description, "rules": tuple(rules), "key": key, "optional": optional,
        "serving": serving and not personal, "items": items, "at": tuple(at.split()), "mask": tuple(mask.split()),
        "personal": personal, "refers_to": refers_to, "refers_within": refers_within,
        "unresolved_pct": unresolved_pct, "lookup": lookup, "content": content,
    }  # fmt: skip
    return Pending(facts)  # type: ignore[return-value]


def like(
    column: str,
    *,
    key: bool = False,
    optional: bool = False,
    serving: bool = True,
    judged: bool = False,
    lookup: bool = False,
) -> str:
    """Another table's column again: its type, its description and what it tells of a person.

    Its rules stay behind unless it is `judged`: what came past them once need not come past them again.
    """
    if not isinstance(column, Column):
        raise TypeError(f"{column!r} is no column of a contract")
    return col(
        column.type, column.description, *(column.rules if judged else ()), key=key, optional=optional,
        serving=serving, personal=column.personal, lookup=lookup,
    )  # fmt: skip
