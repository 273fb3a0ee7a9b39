"""Validation of an event or an entity in Python: typed values, and a finding for each broken rule.

The stream validates with Spark (`schemas.derive.quarantine`). This module applies the same contract before anything is
sent, with the same rule names and sentences. Where the two differ, this one is stricter: a text must be a text, an
unknown field is refused, a time has its zone.

Values are normalised: numbers by value, texts trimmed and in Unicode's normal form C, instants in UTC and cut to the
microsecond, as Spark does.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from schemas.contract import Column, Contract
from schemas.contract.rules import Rule
from schemas.contract.types import MONEY_SCALE, MONEY_TEXT, LogicalType
from schemas.derive.conditions import holds

FOUND_CHARACTERS = 80
MOST_FINDINGS = 50
_MONEY = re.compile(MONEY_TEXT)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-5][0-9])"
)
# The largest offset from UTC that Spark accepts.
_FARTHEST = timedelta(hours=18)
_LARGEST = 1 << 63
_MOST_MONEY = 10**14
# The digits that Decimal keeps.
_LONGEST_NUMBER = 28

Path = tuple[str | int, ...]


class Literal(str):
    """A number with a point or an exponent as it was written: a binary fraction would lose digits of an amount."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule: its place, its name (``lines.quantity.not_zero``), and what was expected and found."""

    path: Path
    rule: str
    sentence: str

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901)."""
        return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in self.path)


def _text(value: Any) -> str | None:
    if type(value) is not str:
        return None
    value = value.strip()
    # NFC leaves ASCII as it is.
    return value if value.isascii() else unicodedata.normalize("NFC", value).strip()


def _exact(value: Literal, scale: int) -> Decimal | None:
    """A number with a point or an exponent; None where it has more digits behind the point than `scale`, or is long."""
    try:
        result = Decimal(value) if len(value) <= _LONGEST_NUMBER else None
    except InvalidOperation:
        # An exponent beyond all measure.
        return None
    if result is None or result.adjusted() > _LONGEST_NUMBER:
        return None
    lowest = result.normalize().as_tuple().exponent
    return result if isinstance(lowest, int) and lowest >= -scale else None


def _whole(value: Any) -> int | None:
    """An integer as JSON Schema has it: 1.0 is one."""
    if type(value) is Literal:
        exact = _exact(value, 0)
        value = None if exact is None else int(exact)
    return value if type(value) is int and -_LARGEST <= value < _LARGEST else None


def _amount(value: Any) -> Decimal | None:
    if type(value) is Literal:
        result = _exact(value, MONEY_SCALE)
        return result if result is not None and abs(result) < _MOST_MONEY else None
    # Longer ones cannot match, and Python refuses to write them.
    written = str(value) if type(value) is int and abs(value) < 10**15 else value
    # `$` would let a line break at the end pass.
    return Decimal(written) if isinstance(written, str) and _MONEY.fullmatch(written) else None


def _number(value: Any) -> float | None:
    if type(value) not in (int, Literal):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


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
        result = datetime.fromisoformat(value)
        return result.astimezone(UTC) if abs(result.utcoffset() or timedelta()) <= _FARTHEST else None
    except (ValueError, OverflowError):
        # In UTC it can be before the year 1, or behind 9999.
        return None


def _listed(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None


_READ: dict[str, Callable[[Any], Any]] = {
    "ID": _text, "CODE": _text, "TEXT": _text, "COUNT": _whole, "MONEY": _amount, "NUMBER": _number, "FLAG": _flag,
    "DAY": _day, "INSTANT": _instant,
}  # fmt: skip


def typed(type: LogicalType, value: Any) -> Any:
    """A value of JSON in the column's own type, None where it cannot be read. Numbers come as int or `Literal`."""
    return _READ[type.name](value)


@dataclass(frozen=True, slots=True)
class _Field:
    """A column with everything that a check of a value needs, looked up once."""

    name: str
    is_optional: bool
    article: str
    read: Callable[[Any], Any]
    rules: tuple[Rule, ...]
    items: Reader | None

    @classmethod
    def of(cls, column: Column) -> _Field:
        read = _READ[column.type.name] if column.items is None else _listed
        items = Reader(column.items) if column.items is not None else None
        return cls(column.name, column.optional, column.type.article, read, column.rules, items)


class Reader:
    """Validates values of one contract. Create it once and use it for every value.

    `columns` limits the columns that may be given.
    """

    def __init__(self, contract: Contract, columns: Collection[str] | None = None) -> None:
        self.fields = tuple(_Field.of(c) for c in contract.columns if columns is None or c in columns)
        self._known = frozenset(field.name for field in self.fields)
        self._rules = [
            (rule, [c.name for c in contract.columns if re.search(rf"\b{c}\b", rule.condition)])
            for rule in contract.rules
        ]

    def read(self, given: Any, arrived_at: datetime, *, partial: bool = False) -> tuple[dict[str, Any], list[Finding]]:
        """The typed row and its findings. Without findings the row keeps every rule; with findings it must not be used.

        `partial` accepts a row that lacks columns.
        """
        reading = _Reading(arrived_at, partial)
        row = reading.record(self, given, (), "", "")
        return row, reading.findings

    def unknown(self, given: Mapping[str, Any]) -> list[str]:
        """Fields that the contract does not have."""
        return sorted(given.keys() - self._known)


class _Reading:
    """The validation of one value. Places and names are built only for findings."""

    def __init__(self, arrived_at: datetime, partial: bool) -> None:
        self.findings: list[Finding] = []
        self._arrived_at, self._partial = arrived_at, partial

    def record(self, reader: Reader, given: Any, at: Path, name: str, prefix: str) -> dict[str, Any]:
        """An object's fields in their types; `name` and `prefix` precede the rule and the sentence."""
        findings = self.findings
        if not isinstance(given, dict):
            if name:
                findings.append(Finding(at, f"{name}json", f"{prefix}it is not a JSON object"))
            else:
                findings.append(Finding(at, "record.json", f'the value is not a JSON object: "{_written(given)}"'))
            return {}
        before = len(findings)
        row: dict[str, Any] = {}
        if not given.keys() <= reader._known:
            fields = ", ".join(field.name for field in reader.fields)
            for field_name in reader.unknown(given):
                sentence = f"{_short(field_name)} is not a field here; there are {fields}"
                findings.append(Finding((*at, field_name), f"{name}unknown", prefix + sentence))
        for field in reader.fields:
            value = given.get(field.name)
            if value is not None:
                row[field.name] = self._value(field, value, at, name, prefix)
            elif field.name in given or not self._partial:
                row[field.name] = None
                if not field.is_optional:
                    self._missing(field, at, name, prefix)
        if len(findings) == before and not self._partial:
            for rule, used in reader._rules:
                if holds(rule.condition, row) is not True:
                    shown = ", ".join(f"{column} {_written(given[column])}" for column in used if column in given)
                    findings.append(Finding(at, f"{name}{rule.name}", f'{prefix}{rule.sentence}; found "{shown}"'))
        return row

    def _missing(self, field: _Field, at: Path, name: str, prefix: str) -> None:
        missing = f"{field.name} is missing" + (" or is not a list" if field.items else "")
        self.findings.append(Finding((*at, field.name), f"{name}{field.name}.required", prefix + missing))

    def _value(self, field: _Field, value: Any, at: Path, name: str, prefix: str) -> Any:
        read = field.read(value)
        if read is None:
            if field.items:
                self._missing(field, at, name, prefix)
            else:
                sentence = f'{field.name} must be {field.article}; found "{_written(value)}"'
                self.findings.append(Finding((*at, field.name), f"{name}{field.name}.type", prefix + sentence))
            return None
        for rule in field.rules:
            if rule.of_elements:
                continue
            if not (rule.holds_at(read, self._arrived_at) if rule.holds_at else rule.holds(read)):
                sentence = f"{field.name} {rule.sentence}"
                if not field.items:
                    sentence += f'; found "{_written(value)}"'
                rule_name = f"{name}{field.name}.{_plain(rule.name)}"
                self.findings.append(Finding((*at, field.name), rule_name, prefix + sentence))
                return read
        if field.items is None:
            return read
        before = len(self.findings)
        rows, of_items = [], f"{name}{field.name}."
        for place, element in enumerate(read):
            if len(self.findings) >= MOST_FINDINGS:
                break
            rows.append(self.record(field.items, element, (*at, field.name, place), of_items, f"line {place + 1}: "))
        for rule in field.rules:
            if rule.of_elements and len(self.findings) == before and not rule.holds(rows):
                self.findings.append(
                    Finding(
                        (*at, field.name), f"{name}{field.name}.{_plain(rule.name)}", f"{field.name} {rule.sentence}"
                    )
                )
        return rows


@lru_cache(maxsize=256)
def _plain(rule_name: str) -> str:
    return rule_name.partition("(")[0]


def _written(value: Any) -> str:
    """A value as it was written, short enough to read."""
    return _short(value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def _short(text: str) -> str:
    return text[:FOUND_CHARACTERS] + ("…" if len(text) > FOUND_CHARACTERS else "")
