"""From a cell's text to the value that is sent, or to what is wrong with it.

A value that cannot be typed is sent as it stands, in a form that no rule of the stream lets pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingestion.purchases_mapping import ISO, Mapping

# int() and Decimal() take more than these: 1_000, other scripts' digits, NaN.
WHOLE = re.compile(r"[+-]?[0-9]{1,18}(\.0*)?", re.ASCII)
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", re.ASCII)
POINT_ZERO = re.compile(r"([0-9]+)\.0+", re.ASCII)
MONEY_UNITS = 10_000
MOST_UNITS = 10**18
"""Money has four decimals and 14 digits before them: below 10^18 ten-thousandths."""

WHOLE_EXPECTED = "a whole number"
MONEY_EXPECTED = "an amount of at most 14 digits before and 4 after the point"


@dataclass(frozen=True, slots=True)
class Problem:
    """One row's fault. `line` and `column` are the file's own."""

    line: int
    column: str
    found: str
    expected: str

    def sentence(self, file: str) -> str:
        shown = self.found if len(self.found) <= 60 else self.found[:60] + "…"
        return f"{file} line {self.line:,}, column {self.column}: found {shown!r}, expected {self.expected}"


@lru_cache(maxsize=65_536)
def whole(text: str) -> int | None:
    """A whole number, also one that some program wrote as 6.0; None where it is none."""
    text = text.strip()
    return int(text.partition(".")[0]) if WHOLE.fullmatch(text) else None


@lru_cache(maxsize=65_536)
def money(text: str, decimal_mark: str) -> tuple[str, int] | None:
    """The amount's plain text ("2.55") and its ten-thousandths; None where it is no amount or has more digits."""
    text = text.strip()
    if decimal_mark != ".":
        text = text.replace(".", "?").replace(decimal_mark, ".")
    if len(text) > 64 or not NUMBER.fullmatch(text):
        return None
    try:
        exact = Decimal(text).normalize()
        units = int(exact.scaleb(4))
    except InvalidOperation:
        return None
    if Decimal(units).scaleb(-4) != exact or abs(units) >= MOST_UNITS:
        return None
    return format(exact + 0, "f"), units


@lru_cache(maxsize=65_536)
def moment(text: str, date_format: str, timezone: str) -> datetime | None:
    """The instant, UTC; None where the text is not of the format."""
    try:
        read = datetime.fromisoformat(text.strip()) if date_format == ISO else datetime.strptime(text, date_format)  # noqa: DTZ007
        return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def moment_expected(mapping: Mapping) -> str:
    return "a time like 2026-01-31 09:30:00" if mapping.date_format == ISO else f"a time as {mapping.date_format}"


def unreadable_moment(text: str, mapping: Mapping) -> str:
    """The text, in a form that is refused: Spark takes many texts for times, "2010" and "T9:30" among them."""
    return text if text.strip()[:1] not in {*"0123456789+-T"} else f"{text} ({moment_expected(mapping)} was expected)"


def without_point_zero(text: str) -> str:
    found = POINT_ZERO.fullmatch(text)
    return found[1] if found else text
