"""The line of a file that names its columns, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from ingestion.files.csv_rows import Row

SEARCHED = 100
"""So many rows may stand above it: titles, addresses, dates of the report."""
TOTAL_WORDS = re.compile(
    r"\W*(grand total|sub-?total|total|totals|sum|итог|итого|всего|подытог|сумма итого|barlyǵy|барлығы|жиыны|жиынтығы|"
    r"summe|gesamt|gesamtsumme|zwischensumme|endsumme|razem|suma|totale|жами|бардыгы)\b[^0-9]{0,60}[0-9.,:\s]{0,20}",
    re.IGNORECASE,
)  # fmt: skip


def plain(name: str) -> str:
    """A column's name without blanks around it, or of unusual kinds in it."""
    return " ".join(name.removeprefix("\ufeff").split())


def is_total(text: str) -> bool:
    """Whether a cell says that its row is the sum of others."""
    return bool(TOTAL_WORDS.fullmatch(text.strip()))


def positions(header: Sequence[str], wanted: Iterable[str]) -> dict[str, list[int]]:
    """Where each wanted column stands: once where it is there, more often where its name is not its own.

    Names are compared as they are written, and where none is written so, without regard to capitals.
    """
    names = [plain(name) for name in header]
    folded = [name.casefold() for name in names]
    by_name = {}
    for column in wanted:
        name = plain(column)
        exact = [at for at, other in enumerate(names) if other == name]
        by_name[column] = exact or [at for at, other in enumerate(folded) if other == name.casefold()]
    return by_name


def find_header(rows: Iterable[Row], wanted: Sequence[str], line: int | None = None) -> tuple[Row | None, bool]:
    """The first row that has all the wanted columns, and true; else the row that has most of them, and false."""
    best, most = None, -1
    for row in islice(rows, SEARCHED):
        if line is not None and row.first != line:
            if row.first > line:
                break
            continue
        there = sum(bool(places) for places in positions(row.cells, wanted).values())
        if there == len(wanted):
            return row, True
        if there > most:
            best, most = row, there
    return best, False
