"""Statuses as publishers write them, and what we call them: a table that users extend."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

from ingestion.errors import Unreadable

OWN = Path(__file__).with_name("statuses.csv")
HEADER = ["stage", "status", "status_code"]
STAGES = ("tender", "award", "contract", "bid", "milestone")
"""A lot's status is one of tenders, as in OCDS."""
WINNER = "winner"
SHOWN = 8


class Statuses:
    """The table. `unknown` counts what it does not have, by stage and status.

    Capital letters and spaces around a status make no difference.
    """

    def __init__(self, *more: Path) -> None:
        """Rows of later files replace those of earlier ones. Raises Unreadable with the line that is wrong."""
        self._codes: dict[tuple[str, str], str] = {}
        for path in (OWN, *more):
            self._codes |= _rows(path)
        self.unknown: Counter[tuple[str, str]] = Counter()

    def code(self, stage: str, status: Any) -> str | None:
        """Our code. What is unknown passes in lower case; None where there is no status."""
        told = str(status).strip() if isinstance(status, str) else ""
        if not told:
            return None
        found = self._codes.get((stage, told.lower()))
        if found is None:
            self.unknown[stage, told] += 1
            return told.lower()
        return found

    def sentence(self) -> str:
        """What was unknown, in words; nothing where all was known."""
        if not self.unknown:
            return ""
        most = [f"{stage} {status!r} ({count:,})" for (stage, status), count in self.unknown.most_common(SHOWN)]
        more = f" and {len(self.unknown) - SHOWN:,} more" if len(self.unknown) > SHOWN else ""
        return (
            f"{self.unknown.total():,} statuses were unknown and passed as they are, in lower case: "
            f"{', '.join(most)}{more}. --statuses FILE tells what they are."
        )


def _rows(path: Path) -> dict[tuple[str, str], str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [cell.strip() for cell in next(reader, [])]
            if header != HEADER:
                raise Unreadable(
                    f"The statuses {path.name} begin with {','.join(header)!r}; {','.join(HEADER)} was expected."
                )
            return dict(_row(path, reader.line_num, cells) for cells in reader if any(cells))
    except OSError as problem:
        raise Unreadable(f"The statuses {path} cannot be read: {problem.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as problem:
        raise Unreadable(f"The statuses {path.name} are no CSV in UTF-8: {problem}.") from None


def _row(path: Path, line: int, cells: list[str]) -> tuple[tuple[str, str], str]:
    told = [cell.strip() for cell in cells]
    if len(told) != len(HEADER) or not all(told):
        raise Unreadable(
            f"The statuses {path.name}, line {line}: found {','.join(cells)!r}, expected {','.join(HEADER)}."
        )
    stage, status, code = told
    if stage not in STAGES:
        raise Unreadable(
            f"The statuses {path.name}, line {line}: no stage is called {stage!r}; there are {', '.join(STAGES)}."
        )
    return (stage, status.lower()), code
