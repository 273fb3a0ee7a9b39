"""Tables of ours in CSV, and users' files that extend them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from ingestion.core.errors import Unreadable


def rows(path: Path, what: str, header: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows with the number of their line, each cell filled. Raises Unreadable with the line that is wrong."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            first = [cell.strip() for cell in next(reader, [])]
            if first != header:
                raise Unreadable(
                    f"The {what} {path.name} begin with {','.join(first)!r}; {','.join(header)} was expected."
                )
            for cells in reader:
                values = [cell.strip() for cell in cells]
                if any(values) and (len(values) != len(header) or not all(values)):
                    raise Unreadable(
                        f"The {what} {path.name}, line {reader.line_num}: found {','.join(cells)!r}, "
                        f"expected {','.join(header)}."
                    )
                if any(values):
                    yield reader.line_num, values
    except OSError as problem:
        raise Unreadable(f"The {what} {path} cannot be read: {problem.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as problem:
        raise Unreadable(f"The {what} {path.name} are no CSV in UTF-8: {problem}.") from None
