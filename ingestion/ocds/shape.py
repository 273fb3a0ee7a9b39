"""Reading OCDS as it comes: what is of another shape than the standard says is left out, and counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

Json = dict[str, Any]
NO_CURRENCY = "XXX"
"""ISO 4217's code for no currency."""
LONGEST_NUMBER = 60
"""Digits, zeros included, that a number is written out with; the stream refuses those far below."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?")
_encode = msgspec.json.Encoder().encode


class Shape:
    """Looks into JSON. `odd` counts what was left out, by what is wrong with it."""

    def __init__(self) -> None:
        self.odd: Counter[str] = Counter()

    def one(self, owner: Json, name: str) -> Json:
        """The object of that name; an empty one where there is none."""
        value = owner.get(name)
        if value is not None and not isinstance(value, dict):
            self.odd[f"{name} that is no object"] += 1
        return value if isinstance(value, dict) else {}

    def many(self, owner: Json, name: str) -> list[Json]:
        """The objects of the list of that name."""
        value = owner.get(name)
        if value is not None and not isinstance(value, list):
            self.odd[f"{name} that are no list"] += 1
        listed = value if isinstance(value, list) else []
        objects = [part for part in listed if isinstance(part, dict)]
        if len(objects) < len(listed):
            self.odd[f"{name} that are no objects"] += len(listed) - len(objects)
        return objects

    def named(self, owner: Json, name: str) -> Iterator[tuple[str, Json]]:
        """The objects of the list of that name that have an id, with it."""
        for part in self.many(owner, name):
            if told := text(part.get("id")):
                yield told, part
            else:
                self.odd[f"{name} without an id"] += 1

    def money(self, owner: Json, name: str = "value") -> tuple[str | None, str]:
        """Amount and currency of a value."""
        value = self.one(owner, name)
        return text(value.get("amount")), text(value.get("currency")) or NO_CURRENCY


def text(value: Any) -> str | None:
    """A text or a number as text, a number as it was written but for the exponent; None for what has none."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < LONGEST_NUMBER else str(value)
    return str(value) if isinstance(value, int) else None


def texts(value: Any) -> list[str]:
    """The texts of a list, or of what stands alone instead of one."""
    listed = value if isinstance(value, list) else [value]
    return [told for part in listed if (told := text(part))]


def time(value: Any) -> str | None:
    """A time with its zone: OCDS wants one, and where it is missing, UTC is taken."""
    told = text(value)
    if told and _DAY.fullmatch(told):
        return f"{told}T00:00:00Z"
    return f"{told}Z" if told and _LOCAL.fullmatch(told) else told


def written(value: Json) -> bytes:
    """The value as JSON, without what is empty."""
    return _encode({name: part for name, part in value.items() if part not in (None, "", [])})


@dataclass(frozen=True, slots=True)
class Event:
    """What is sent of one entity, in the words of the silver tables.

    `kind` is the event's type, such as ocds.tender; `entity` its id. `lines` counts the rows it makes.
    """

    kind: str
    entity: str
    value: Json
    lines: int = 1
