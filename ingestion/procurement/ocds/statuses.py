"""Statuses as publishers write them, and what we call them: a table that users extend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingestion.core.errors import Unreadable
from ingestion.procurement.ocds.table import rows

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
            self._codes |= dict(_rows(path))
        self.unknown: Counter[tuple[str, str]] = Counter()

    def code(self, stage: str, status: Any) -> str | None:
        """Our code. What is unknown passes in lower case; None where there is no status."""
        status_text = str(status).strip() if isinstance(status, str) else ""
        if not status_text:
            return None
        known_code = self._codes.get((stage, status_text.lower()))
        if known_code is None:
            self.unknown[stage, status_text] += 1
            return status_text.lower()
        return known_code

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


def _rows(path: Path) -> Iterator[tuple[tuple[str, str], str]]:
    for line, (stage, status, code) in rows(path, "statuses", HEADER):
        if stage not in STAGES:
            raise Unreadable(
                f"The statuses {path.name}, line {line}: no stage is called {stage!r}; there are {', '.join(STAGES)}."
            )
        yield (stage, status.lower()), code
