"""What Python says of an event or an entity: typed values, and for each broken rule the stream's own name and sentence.

The stream judges by Spark (`schemas.derive.quarantine`); here the same contract is asked before anything is sent. Where
the two differ, this one is stricter: a text must be a text, an unknown field is refused, a time has its zone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from schemas.contract import Column, Contract
from schemas.derive.conditions import holds
from schemas.types import MONEY_TEXT, LogicalType

FOUND_CHARACTERS = 80
MOST_FINDINGS = 50
_MONEY = re.compile(MONEY_TEXT)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
# As far from Greenwich as Spark takes it.
_FARTHEST = timedelta(hours=18)
_LARGEST = 1 << 63

Path = tuple[str | int, ...]


class Literal(str):
    """A number with a point or an exponent as it was written: a binary fraction would lose digits of an amount."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule: where, its name (``lines.quantity.not_zero``), and what was expected and found."""

    path: Path
    rule: str
    sentence: str

    @property
    def pointer(self) -> str:
        """Where, as a JSON pointer (RFC 6901)."""
        return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in self.path)


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and -_LARGEST <= value < _LARGEST else None


def _amount(value: Any) -> Decimal | None:
    # Longer ones cannot match, and Python refuses to write them.
    written = str(value) if type(value) is int and abs(value) < 10**15 else value
    # `$` would let a line break at the end pass.
    return Decimal(written) if isinstance(written, str) and _MONEY.fullmatch(written) else None


def _number(value: Any) -> float | None:
    if type(value) not in (int, Literal):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _flag(value: Any) -> bool | None:
    return value if type(value) is bool else None


def _day(value: Any) -> date | None:
    if type(value) is not str or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _instant(value: Any) -> datetime | None:
    if type(value) is not str or not _INSTANT.fullmatch(value):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found if abs(found.utcoffset() or timedelta()) <= _FARTHEST else None
    except ValueError:
        return None


_READ: dict[str, Callable[[Any], Any]] = {
    "ID": _text, "CODE": _text, "TEXT": _text, "COUNT": _whole, "MONEY": _amount, "NUMBER": _number, "FLAG": _flag,
    "DAY": _day, "INSTANT": _instant,
}  # fmt: skip


def typed(type: LogicalType, value: Any) -> Any:
    """A value of JSON in the column's own type, None where it cannot be read. Numbers come as int or `Literal`."""
    return _READ[type.name](value)


class Reader:
    """Reads what one contract describes; made once, then asked for every value.

    `columns` are those that may be given, where these are not all.
    """

    def __init__(self, contract: Contract, columns: Collection[str] | None = None) -> None:
        self.contract = contract
        self.columns = tuple(c for c in contract.columns if columns is None or c in columns)
        self._known = frozenset(self.columns)
        self._items = {c: Reader(c.items) for c in self.columns if c.items is not None}
        self._rules = [
            (rule, [str(c) for c in contract.columns if re.search(rf"\b{c}\b", rule.condition)])
            for rule in contract.rules
        ]

    def read(self, given: Any, arrived_at: datetime, *, partial: bool = False) -> tuple[dict[str, Any], list[Finding]]:
        """The typed row, and what is wrong with it: no findings means that every rule is kept.

        `partial` takes the columns that are there and misses none. The row is of no use where there are findings.
        """
        findings: list[Finding] = []
        row = self._read(given, arrived_at, partial, (), "", "", findings)
        return row, findings

    def _read(
        self, given: Any, arrived_at: datetime, partial: bool, at: Path, name: str, said: str, found: list[Finding]
    ) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            what = "it is not a JSON object"
            found.append(Finding(at, f"{name}json" if name else "record.json", said + what))
            return {}
        before = len(found)
        if given.keys() - self._known:
            for field in sorted(given.keys() - self._known):
                fields = ", ".join(self.columns)
                sentence = f"{_short(field)} is not a field here; there are {fields}"
                found.append(Finding((*at, field), f"{name}unknown", said + sentence))
        row: dict[str, Any] = {}
        for column in self.columns:
            value = given.get(column)
            if value is None:
                if column in given or not partial:
                    row[column] = None
                    if not column.optional:
                        missing = f"{column} is missing" + (" or is not a list" if column.items else "")
                        found.append(Finding((*at, column), f"{name}{column}.required", said + missing))
            elif column.items is not None:
                row[column] = self._list(column, value, arrived_at, (*at, column), name, said, found)
            else:
                row[column] = _value(column, value, arrived_at, (*at, column), name, said, found)
        if len(found) == before and not partial:
            self._judge(row, given, at, name, said, found)
        return row

    def _list(
        self, column: Column, value: Any, arrived_at: datetime, at: Path, name: str, said: str, found: list[Finding]
    ) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            found.append(Finding(at, f"{name}{column}.required", f"{said}{column} is missing or is not a list"))
            return []
        for rule in column.rules:
            if not rule.holds(value):
                found.append(Finding(at, f"{name}{column}.{_plain(rule.name)}", f"{said}{column} {rule.sentence}"))
                return []
        items = self._items[column]
        rows = []
        for place, element in enumerate(value):
            if len(found) >= MOST_FINDINGS:
                break
            line = f"{said}line {place + 1}: "
            rows.append(items._read(element, arrived_at, False, (*at, place), f"{name}{column}.", line, found))
        return rows

    def _judge(
        self, row: Mapping[str, Any], given: Mapping[str, Any], at: Path, name: str, said: str, found: list[Finding]
    ) -> None:
        for rule, used in self._rules:
            if holds(rule.condition, row) is not True:
                shown = ", ".join(f"{column} {_written(given[column])}" for column in used if column in given)
                found.append(Finding(at, f"{name}{rule.name}", f'{said}{rule.sentence}; found "{shown}"'))


def _value(
    column: Column, value: Any, arrived_at: datetime, at: Path, name: str, said: str, found: list[Finding]
) -> Any:
    read = _READ[column.type.name](value)
    if read is None:
        sentence = f'{column} must be {column.type.article}; found "{_written(value)}"'
        found.append(Finding(at, f"{name}{column}.type", said + sentence))
        return None
    for rule in column.rules:
        if not (rule.holds_at(read, arrived_at) if rule.holds_at else rule.holds(read)):
            sentence = f'{column} {rule.sentence}; found "{_written(value)}"'
            found.append(Finding(at, f"{name}{column}.{_plain(rule.name)}", said + sentence))
            break
    return read


@lru_cache(maxsize=256)
def _plain(rule_name: str) -> str:
    return rule_name.partition("(")[0]


def _written(value: Any) -> str:
    """A value as it was written, short enough to read."""
    return _short(value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def _short(text: str) -> str:
    return text[:FOUND_CHARACTERS] + ("…" if len(text) > FOUND_CHARACTERS else "")
