"""Reading OCDS as it comes: what is of another shape than the standard says is left out, and counted."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import msgspec

from ingestion.procurement.ocds.currencies import CODES
from ingestion.procurement.ocds.normal import is_nothing
from ingestion.procurement.ocds.times import standard

Json = dict[str, Any]
NO_CURRENCY = "XXX"
"""ISO 4217's code for no currency."""
LONGEST_NUMBER = 60
"""Digits, zeros included, that a number is written out with; the stream refuses those far below."""
DIGITS = 4
"""Digits after the point that a money column has."""
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]+)*")
_encode = msgspec.json.Encoder().encode
encoded = msgspec.json.Encoder(decimal_format="number", order="sorted").encode
"""Anything as JSON, keys in order, numbers as they were written."""
decoded = msgspec.json.Decoder(float_hook=Decimal).decode


class Shape:
    """Looks into JSON. `odd` counts what was left out, by what is wrong with it; `currencies` those that ISO 4217 does
    not know, which are kept."""

    def __init__(self) -> None:
        self.odd: Counter[str] = Counter()
        self.currencies: Counter[str] = Counter()

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
            string = text(part.get("id"))
            if string and not is_nothing(string):
                yield string, part
            else:
                self.odd[f"{name} without an id"] += 1

    def money(self, owner: Json, name: str = "value") -> tuple[str | None, str]:
        """Amount and currency of a value; some write the amount alone in its place."""
        value = owner.get(name)
        if isinstance(value, int | Decimal | str) and not isinstance(value, bool):
            return _amount(value), NO_CURRENCY
        string = self.one(owner, name)
        return _amount(string.get("amount")), self._currency(text(string.get("currency")))

    def words(self, owner: Json, name: str) -> str | None:
        """A text for people; where it stands in other languages only (``title_es``), the first of them."""
        value = owner.get(name)
        if isinstance(value, dict):
            return next((string for part in value.values() if (string := text(part))), None)
        return text(value) or next(
            (string for key, part in owner.items() if _is_language(key, name) and (string := text(part))), None
        )

    def _currency(self, string: str | None) -> str:
        if string is None:
            return NO_CURRENCY
        if string.upper() in CODES:
            return string.upper()
        self.currencies[string] += 1
        return string


def _is_language(key: str, name: str) -> bool:
    return key.startswith(f"{name}_") and _LANGUAGE.fullmatch(key, len(name) + 1) is not None


def _amount(value: Any) -> str | None:
    """An amount as it was written. Where only the noise of a binary fraction (0.30000000000000004) stands beyond the
    digits that money has, it is the number that was meant."""
    if isinstance(value, Decimal) and value.is_finite() and -LONGEST_NUMBER < value.adjusted() < LONGEST_NUMBER:
        short = round(value, DIGITS) if value.adjusted() < 20 else value
        if short != value and math.isclose(short, value, rel_tol=1e-15) and len(value.as_tuple().digits) > 15:
            return text(short)
    return text(value)


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
    return [string for part in listed if (string := text(part))]


def time(value: Any) -> str | None:
    """A time with seconds and zone: OCDS wants them, and where they are missing, they are zero and UTC."""
    string = text(value)
    return standard(string) if string else None


def written(value: Json) -> bytes:
    """The value as JSON, without what is empty."""
    return _encode({name: part for name, part in value.items() if part not in (None, "", [])})


@dataclass(frozen=True, slots=True)
class Event:
    """What is sent of one entity, in the words of the silver tables.

    `kind` is the event's type, such as ocds.tender; `entity` its id. `lines` counts the rows it makes. `version` tells
    events of one content apart, where it came again after another one and has no date.
    """

    kind: str
    entity: str
    value: Json
    lines: int = 1
    version: int = 0

    def of(self, version: int) -> Event:
        """The same as that version."""
        return replace(self, version=version) if version else self
