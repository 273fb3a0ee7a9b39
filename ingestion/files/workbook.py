"""Workbooks (.xls, .xlsx, .xlsb, .ods) row by row, as if each sheet were a CSV file.

A cell becomes text that is read in one way whatever the marks and formats of the file's texts are: a number without a
fraction is its digits, another one digits and an exponent (``105E-1`` is 10.5), a time is ISO 8601 with a T. Formulas
are the values that the program stored with them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.core.errors import Unreadable
from ingestion.files.csv_rows import Row

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

EXACT = 15
"""So many digits of a number a spreadsheet keeps."""
FRACTION = re.compile(r"(-?)([0-9]+)E-([0-9]+)", re.ASCII)


@dataclass
class WorkbookFile:
    """One sheet of a workbook; the first that has rows, where none is named."""

    path: Path
    sheet: str = ""
    called: str = ""

    @property
    def name(self) -> str:
        """The file's name for messages and events, unless it is called otherwise."""
        return self.called or os.fsencode(self.path.name).decode("utf-8", "replace")

    def fingerprint(self) -> tuple[int, int]:
        """Changes when the file does."""
        facts = self.path.stat()
        return facts.st_size, facts.st_mtime_ns

    def sheets(self) -> list[str]:
        """The sheets that have rows, in their order."""
        with self._opened() as book:
            return [name for name in book.sheet_names if _has_rows(book, name)]

    def rows(self, delimiter: str = "") -> Iterator[Row]:  # noqa: ARG002
        """Every row with a text, and the line that the program shows for it."""
        with self._opened() as book:
            names = list(book.sheet_names)
            if self.sheet and self.sheet not in names:
                raise Unreadable(f"{self.name} has no sheet {self.sheet!r}; it has {', '.join(map(repr, names))}.")
            chosen = self.sheet or next((name for name in names if _has_rows(book, name)), "")
            if not chosen:
                raise Unreadable(f"{self.name} has no sheet with rows.")
            with self._faults():
                sheet = book.get_sheet_by_name(chosen)
                begins, rows = (sheet.start or (0, 0))[0] + 1, iter(sheet.iter_rows())
            place = -1
            while True:
                with self._faults():
                    cells = next(rows, None)
                if cells is None:
                    break
                place += 1
                texts = [cell_text(cell) for cell in cells]
                if any(map(str.strip, texts)):
                    yield Row(begins + place, begins + place, texts)

    def look_whole(self) -> bool:
        """A workbook names its own encoding."""
        return False

    def _opened(self) -> CalamineWorkbook:
        from python_calamine import CalamineWorkbook

        with self._faults():
            return CalamineWorkbook.from_path(self.path)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """What goes wrong in the library, as a sentence; a broken file makes it panic, which is no Exception."""
        from python_calamine import PasswordError

        try:
            yield
        except PasswordError:
            raise Unreadable(f"{self.name} is protected by a password: save it without one.") from None
        except BaseException as problem:
            if isinstance(problem, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
                raise
            reason = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
            raise Unreadable(f"{self.name} cannot be read as a workbook: {reason}. Save it as .xlsx or CSV.") from None


def _has_rows(book: CalamineWorkbook, name: str) -> bool:
    try:
        return bool(book.get_sheet_by_name(name).height)
    except BaseException as problem:
        if isinstance(problem, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
            raise
        # A sheet of charts has no cells, and a broken one makes the library panic.
        return False


def cell_text(value: Any) -> str:
    """A cell as a text of one meaning."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | int):
        return _number(float(value))
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return ""


def _number(value: float) -> str:
    # As many digits as the program itself shows: 19.990000000000002 is how a machine holds 19.99.
    shown = f"{value:.{EXACT}g}"
    if "e" in shown:
        shown = f"{value:.0f}" if abs(value) >= 1 else f"{value:.20f}".rstrip("0")
    whole, _, fraction = shown.partition(".")
    if not fraction:
        return "0" if whole == "-0" else whole
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{(digits + fraction).lstrip('0') or '0'}E-{len(fraction)}"


def shown_cell(text: str) -> str:
    """A cell's text for people, and for ids and names: 10.5 and not 105E-1."""
    match = FRACTION.fullmatch(text)
    if not match:
        return text
    sign, digits, places = match[1], match[2], int(match[3])
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"
