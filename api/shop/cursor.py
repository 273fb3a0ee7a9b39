"""Cursors of lists: the next page begins after the last row's values, so no rows are skipped by counting."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from api.http.json_values import json_value
from api.http.problems import Problem, parameter
from api.shop.entities import Entity
from conf.postgres_values import Unreadable
from schemas.derive.validation import Literal, typed

AS_WRITTEN = "="
"""Prefix of a value that only PostgreSQL can read."""
_WRITTEN = re.compile(r"-?infinity|NaN|[0-9]{4,6}-[0-9]{2}-[0-9]{2} [0-9:.]{8,15}[+][0-9]{2}( BC)?")


class _Place(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    question: str
    value: str
    key: str


@dataclass(frozen=True)
class Order:
    """By which column a list is sorted, and in which direction."""

    column: str
    is_descending: bool = False


def order(entity: Entity, text: str) -> Order:
    """``-updated_at`` as an order. Raises a Problem (422) for a column that cannot be sorted by."""
    column = text.removeprefix("-")
    if column not in entity.sorted_by:
        known = ", ".join(entity.sorted_by)
        raise parameter("sort", f"sort must be one of {known}, with a minus before it for the greatest first.")
    return Order(column, text.startswith("-"))


def make(order: Order, filters: Mapping[str, Any], entity: Entity, row: Mapping[str, Any]) -> str:
    """The cursor after this row."""
    value = row[order.column]
    shown = f"{AS_WRITTEN}{value}" if isinstance(value, Unreadable) else str(json_value(value))
    place = _Place(_question(order, filters), shown, row[entity.key])
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read(text: str, order: Order, filters: Mapping[str, Any], entity: Entity) -> tuple[Any, str]:
    """The values after which the page begins. Raises a Problem (422) for a cursor that does not belong to this list."""
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Place)
    except (ValueError, msgspec.MsgspecError):
        raise wrong() from None
    column = entity.contract.column(order.column)
    given = place.value.removeprefix(AS_WRITTEN)
    if given != place.value and column.type.name in ("INSTANT", "MONEY") and _WRITTEN.fullmatch(given):
        if place.question != _question(order, filters) or "\0" in place.key:
            raise wrong()
        return given, place.key
    value = typed(column.type, Literal(place.value) if column.type.name == "NUMBER" else place.value)
    if place.question != _question(order, filters) or value is None or "\0" in place.key + place.value:
        raise wrong()
    return value, place.key


def _question(order: Order, filters: Mapping[str, Any]) -> str:
    """A hash of the list's filters: with other filters the cursor would point somewhere in the middle."""
    question = repr((order, sorted((name, str(value)) for name, value in filters.items())))
    return hashlib.sha256(question.encode()).hexdigest()[:16]


def wrong() -> Problem:
    """For a cursor that does not belong to this list."""
    return parameter(
        "cursor", "cursor does not belong to this list: use `next` of its last page, with the same filters."
    )
