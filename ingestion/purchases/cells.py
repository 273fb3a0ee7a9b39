"""From a cell's text to the value that is sent, or to what is wrong with it.

A value that cannot be typed is sent as it stands, in a form that no rule of the stream lets pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from ingestion.files.instants import expected
from ingestion.files.numbers import Mark, UnreadableNumber, number
from ingestion.files.workbook import shown_cell

POINT_ZERO = re.compile(r"([0-9]+)\.0+", re.ASCII)
SHORT_WHOLE = re.compile(r"-?[0-9]{1,9}", re.ASCII)
MONEY_UNITS = 10_000
MOST_UNITS = 10**18
"""Money has four decimals and 14 digits before them: below 10^18 ten-thousandths."""
MOST_WHOLE = 10**18

WHOLE_EXPECTED = "a whole number"
MONEY_EXPECTED = "an amount of at most 14 digits before and 4 after the point"
ID_EXPECTED = (
    "an id: a spreadsheet has cut this one to scientific form, and its digits are lost. Take the file from before it "
    "was opened there, or export the column as text"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One row's fault. `line` and `column` are the file's own."""

    line: int
    column: str
    given: str
    expected: str

    def sentence(self, file: str) -> str:
        given = shown_cell(self.given)
        shown = given if len(given) <= 60 else given[:60] + "…"
        return f"{file} line {self.line:,}, column {self.column}: found {shown!r}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of the file: its plain text ("2.55"), its ten-thousandths, and the currency that stood beside it."""

    text: str
    units: int
    currency: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What was expected where the cell is none such. `is_number`: it would pass for another value as it stands."""

    expected: str
    is_number: bool = False


@lru_cache(maxsize=65_536)
def whole(text: str, mark: Mark = ".") -> int | Fault:
    """A whole number, also one that some program wrote as 6.0 or as 1 000."""
    if SHORT_WHOLE.fullmatch(text):
        return int(text)
    read = number(text, mark)
    if isinstance(read, UnreadableNumber):
        return _unread(WHOLE_EXPECTED, read)
    if read.currency:
        return Fault(WHOLE_EXPECTED)
    exact = Decimal(read.text)
    if exact != exact.to_integral_value() or abs(exact) >= MOST_WHOLE:
        return Fault(WHOLE_EXPECTED)
    return int(exact)


@lru_cache(maxsize=65_536)
def money(text: str, mark: Mark = ".") -> Amount | Fault:
    """An amount of money."""
    read = number(text, mark)
    if isinstance(read, UnreadableNumber):
        return _unread(MONEY_EXPECTED, read)
    given = _amount(Decimal(read.text), read.currency)
    return given or Fault(MONEY_EXPECTED)


def _amount(value: Decimal, currency: str = "") -> Amount | None:
    try:
        exact = value.normalize()
        units = int(exact.scaleb(4))
    except InvalidOperation:
        return None
    if Decimal(units).scaleb(-4) != exact or abs(units) >= MOST_UNITS:
        return None
    return Amount(format(exact + 0, "f"), units, currency)


def price_of(amount: Amount, quantity: int) -> Amount | Fault:
    """The price of one piece, of a line whose sum the file names."""
    if not quantity:
        return Fault("a quantity other than 0, by which the line's sum is divided", is_number=True)
    if amount.units % quantity:
        return Fault(f"a sum that {quantity:,} pieces share in whole ten-thousandths", is_number=True)
    price = _amount(Decimal(amount.units // quantity).scaleb(-4), amount.currency)
    return price or Fault(MONEY_EXPECTED)


def _unread(expected: str, read: UnreadableNumber) -> Fault:
    return Fault(f"{expected}: {read.reason}", is_number=True) if read.reason else Fault(expected)


def as_it_stands(text: str, fault: Fault) -> str:
    """The text, in a form that no rule lets pass."""
    return f"{shown_cell(text)} ({fault.expected})" if fault.is_number else shown_cell(text)


def unreadable_moment(text: str, formats: tuple[str, ...]) -> str:
    """The text, in a form that is refused: Spark takes many texts for times, "2010" and "T9:30" among them."""
    return text if text.strip()[:1] not in {*"0123456789+-T"} else f"{text} ({expected(formats)} was expected)"


def refused_id(text: str) -> list[str]:
    """An id in a form that is refused: of the wrong type and, where it is taken for text, too long."""
    return [text, f"expected {ID_EXPECTED}. This row is kept in quarantine, so that two things are not taken for one."]


def without_point_zero(text: str) -> str:
    """A whole number that some program has written as a decimal, without its ending."""
    given = POINT_ZERO.fullmatch(text)
    return given[1] if given else text
