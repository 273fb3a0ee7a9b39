"""How a certain file is to be read: its header line, where each field stands, its separator and its decimal mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Protocol

from ingestion.core.errors import Unreadable
from ingestion.files.csv_rows import DELIMITERS, CsvFile, Row
from ingestion.files.currencies import currency_of
from ingestion.files.header import find_header, plain, positions
from ingestion.files.packed import is_workbook
from ingestion.files.workbook import WorkbookFile
from ingestion.purchases.mapping import FIELDS, Mapping, PurchaseField

NAMES = {"\t": "the tab"}


class RowFile(Protocol):
    """A file of rows, of whatever kind."""

    @property
    def name(self) -> str: ...

    def fingerprint(self) -> tuple[int, int]: ...

    def rows(self, delimiter: str = "") -> Iterator[Row]: ...

    def look_whole(self) -> bool: ...


@dataclass
class Layout:
    """`at` tells where a field's columns stand; `pick` takes one cell a field, in the order of FIELDS.

    Constants, and an empty cell for what the file does not have, stand behind each row's own cells.
    """

    header: Row
    delimiter: str
    width: int
    at: dict[PurchaseField, tuple[int, ...]]
    extra: list[str]
    pick: Callable[[list[str]], tuple[str, ...]]
    skip: tuple[tuple[int, frozenset[str]], ...]


def row_file(path: Path, mapping: Mapping, encoding: str = "") -> RowFile:
    """The file as a workbook or as CSV, told from its bytes."""
    if path.is_file() and is_workbook(path):
        return WorkbookFile(path, mapping.sheet)
    return CsvFile(path, encoding or mapping.encoding, mapping.delimiter or "")


def layout(file: RowFile, mapping: Mapping) -> Layout:
    """Find the header and the separator. Raises Unreadable, naming what is missing and what there is."""
    stated = mapping.delimiter or getattr(file, "separator", "") or ","
    header, is_found = _header(file, mapping, stated)
    if header is None and mapping.header_line is None:
        raise Unreadable(f"{file.name} is empty.")
    delimiter = stated
    if not is_found and isinstance(file, CsvFile):
        for other in DELIMITERS:
            there, is_there = _header(file, mapping, other) if other != stated else (None, False)
            if is_there and there:
                if mapping.delimiter:
                    raise Unreadable(
                        f"{file.name} has its columns set apart by {_named(other)}, not by {_named(stated)}: set "
                        f"delimiter = {other!r} in the mapping, or leave it out."
                    )
                header, delimiter, is_found = there, other, True
                break
    if header is None:
        raise Unreadable(f"{file.name} has no line {mapping.header_line}, where its header stands by the mapping.")
    if not is_found:
        raise Unreadable(_lacking(file, mapping, header, stated))
    return _laid_out(file, mapping, header, delimiter)


def _header(file: RowFile, mapping: Mapping, delimiter: str) -> tuple[Row | None, bool]:
    return find_header(file.rows(delimiter), mapping.wanted, mapping.header_line)


def _lacking(file: RowFile, mapping: Mapping, header: Row, stated: str) -> str:
    positions_of = positions(header.cells, mapping.wanted)
    missing = [name for name in mapping.wanted if not positions_of[name]]
    names = [plain(name) for name in header.cells]
    hint = "" if len(names) > 1 or not isinstance(file, CsvFile) else f" Is {stated!r} the right delimiter?"
    return (
        f"{file.name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; its header has "
        f"{', '.join(names)}.{hint} Other names are given by --mapping FILE, and --try proposes one: "
        f"./start.sh ingest purchases.file {file.name} --try"
    )


def _named(delimiter: str) -> str:
    return NAMES.get(delimiter, repr(delimiter))


def _laid_out(file: RowFile, mapping: Mapping, header: Row, delimiter: str) -> Layout:
    skipped = [name for name in mapping.skip if name != "status" or "status" not in mapping.columns]
    positions_of = positions(header.cells, (*mapping.wanted, *skipped))
    for name, places in positions_of.items():
        if not places:
            raise Unreadable(
                f"{file.name} has no column {name}, which skip names; its header has "
                f"{', '.join(plain(cell) for cell in header.cells)}."
            )
        if len(places) > 1:
            raise Unreadable(f"{file.name} has the column {name} more than once.")
    names = [plain(name) for name in header.cells]
    width = max((place + 1 for place, name in enumerate(names) if name), default=0)
    at = {field: tuple(positions_of[name][0] for name in mapping.names_of(field)) for field in mapping.columns}
    constants = dict(mapping.constants)
    if "currency_code" in constants:
        constants["currency_code"] = currency_of(constants["currency_code"]) or constants["currency_code"]
    behind: dict[PurchaseField, int] = {field: width + place for place, field in enumerate(constants)}
    nothing = width + len(behind)
    picked = [at[field][0] if field in at else behind.get(field, nothing) for field in FIELDS]
    rules = []
    for name, values in mapping.skip.items():
        place = positions_of[name][0] if name in positions_of else at["status"][0]
        rules.append((place, frozenset(value.strip().casefold() for value in values)))
    return Layout(header, delimiter, width, at, [*constants.values(), ""], _picker(picked), tuple(rules))


def _picker(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    first, second, *rest = places
    return itemgetter(first, second, *rest)
