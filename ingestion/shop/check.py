"""Rows of a file held against the contract of a file of products: typed rows, or what is wrong, with row and column."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from ingestion.shop.file_faults import Doubtful, FileRefused
from schemas.contract import Column, contract
from schemas.contract.types import MONEY_SCALE, MONEY_TEXT
from schemas.shop.stage import ProductRow

FILE = contract(ProductRow)
SHOWN = 100
"""So many findings are listed in full; all are counted."""
CLOCKS = timedelta(minutes=5)
"""Two machines' clocks may differ by so much."""
FLAGS = {
    **dict.fromkeys(("true", "1", "yes", "y", "да", "ja", "иә"), True),
    **dict.fromkeys(("false", "0", "no", "n", "нет", "nein", "жоқ"), False),
}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One broken rule. Rows are counted from 1, a header left out; row 0 is the file as a whole."""

    row: int
    column: str
    rule: str
    sentence: str
    found: str = ""

    def __str__(self) -> str:
        where = f"row {self.row:,}, column {self.column}: " if self.row else ""
        return f"{where}{self.sentence}" + (f"; found {self.found}" if self.found else "")


@dataclass
class Findings:
    """Everything that is wrong with a file: the first hundred in full, all of them counted by rule."""

    listed: list[Finding] = field(default_factory=list)
    by_rule: Counter[str] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        self.by_rule[finding.rule] += 1
        if len(self.listed) < SHOWN:
            self.listed.append(finding)


@dataclass
class Check:
    """One pass over a file. `rows` counts what was read; what `findings` holds at its end is all that is wrong."""

    dropped_at: datetime
    is_tabular: bool
    rows: int = 0
    findings: Findings = field(default_factory=Findings)
    _keys: array[int] = field(default_factory=lambda: array("q"))

    def typed(self, rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
        """The sound rows, typed. A file that cannot be read to its end is a finding too."""
        try:
            for row in rows:
                self.rows += 1
                if self.rows == 1 and self.is_tabular:
                    self._columns(row)
                typed_row = self._row(row)
                if typed_row is not None:
                    self._keys.append(hash(_key(typed_row)))
                    yield typed_row
            if not self.rows:
                raise FileRefused("file.empty", "the file has no rows")
        except FileRefused as problem:
            self.findings.add(Finding(0, "", problem.rule, str(problem)))

    def suspects(self) -> frozenset[int]:
        """Hashes of keys that more than one row has."""
        values, counts = np.unique(np.frombuffer(self._keys, dtype=np.int64), return_counts=True)
        return frozenset(values[counts > 1].tolist())

    def name_twins(self, rows: Iterable[Row], suspects: frozenset[int]) -> None:
        """Find, in a second pass over a sound file, the rows whose key an earlier row has."""
        first: dict[tuple[Any, ...], int] = {}
        for number, row in enumerate(rows, 1):
            typed_row = self._row(row)
            if typed_row is None or hash(_key(typed_row)) not in suspects:
                continue
            before = first.setdefault(_key(typed_row), number)
            if before != number:
                sentence = f"product_id must stand once in a file (for one changed_at); it is in row {before:,} too"
                self.findings.add(
                    Finding(number, "product_id", "product_id.twice", sentence, _shown(typed_row["product_id"]))
                )

    def _columns(self, row: Row) -> None:
        for column in FILE.columns:
            if column not in row and not column.optional:
                there = ", ".join(map(str, row))
                raise FileRefused("column.missing", f"the file has no column {column}; it has {there[:300]}")

    def _row(self, row: Row) -> dict[str, Any] | None:
        """The row with each value in its type; None, and findings, where it breaks a rule."""
        count = self.findings.by_rule.total()
        for name in row.keys() - set(FILE.columns):
            known = ", ".join(FILE.columns)
            self._add(str(name)[:80], "column.unknown", f"no such column is known; the columns are {known}")
        typed_row = {column.name: self._value(column, row.get(column)) for column in FILE.columns}
        return typed_row if self.findings.by_rule.total() == count else None

    def _value(self, column: Column, value: Any) -> Any:
        if value is None or value == "":
            if not column.optional:
                self._add(column, f"{column}.required", f"{column} is missing")
            return None
        if isinstance(value, Doubtful):
            self._add(column, f"{column}.type", f"{column} must be {column.type.article}: {value.reason}", value)
            return None
        read = READERS[column.type.name](value)
        if read is None:
            self._add(column, f"{column}.type", f"{column} must be {column.type.article}", value)
            return None
        for rule in column.rules:
            if not rule.holds(read):
                self._add(column, f"{column}.{rule.name.partition('(')[0]}", f"{column} {rule.sentence}", value)
        if column.type.name == "INSTANT" and read > self.dropped_at + CLOCKS:
            self._add(column, f"{column}.not_ahead_of", f"{column} must not be after the file was dropped", value)
        return read

    def _add(self, column: str, rule: str, sentence: str, value: Any = None) -> None:
        self.findings.add(Finding(self.rows, str(column), rule, sentence, "" if value is None else _shown(value)))


def _key(row: Row) -> tuple[Any, ...]:
    return row["product_id"], row["changed_at"]


def _shown(value: Any) -> str:
    text = str(value)
    return repr(text[:80]) + ("…" if len(text) > 80 else "")


def _text(value: Any) -> str | None:
    """A text that can be stored: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or "\0" in value:
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def _money(value: Any) -> Decimal | None:
    """An amount as it was written; of a binary fraction the shortest decimal that names it."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    if isinstance(value, Decimal) and not (value.is_finite() and -40 < value.adjusted() < 40):
        # Written out, it might fill the memory.
        return None
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if "." in text and isinstance(value, Decimal):
        # A decimal column of Parquet has its zeros.
        text = text.rstrip("0").rstrip(".")
    if not re.fullmatch(MONEY_TEXT, text):
        return None
    return Decimal(text).quantize(Decimal(1).scaleb(-MONEY_SCALE))


def _flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return FLAGS.get(value.lower())
    return value if isinstance(value, bool) else None


def _instant(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    try:
        utc = value.astimezone(UTC)
    except OverflowError:
        return None
    # Parquet's nanoseconds come as a subclass that is more exact than the stage.
    return datetime(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, UTC)


READERS: dict[str, Callable[[Any], Any]] = {
    "ID": _text,
    "CODE": _text,
    "TEXT": _text,
    "MONEY": _money,
    "FLAG": _flag,
    "INSTANT": _instant,
}
