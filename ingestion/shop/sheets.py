"""Products in CSV files and workbooks: the header found, numbers and times as people write them made plain."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingestion.core.errors import Unreadable
from ingestion.files.csv_rows import DELIMITERS, CsvFile, Row, Undecodable
from ingestion.files.currencies import currency_of
from ingestion.files.header import find_header, plain
from ingestion.files.instants import ISO, moment
from ingestion.files.numbers import Mark, UnreadableNumber, is_lost_id, number, proven_mark
from ingestion.files.packed import is_workbook
from ingestion.files.workbook import WorkbookFile, shown_cell
from ingestion.shop.file_faults import Doubtful, FileRefused
from schemas.contract import contract
from schemas.shop.stage import ProductRow

COLUMNS = contract(ProductRow).columns
NEEDED = tuple(column.name for column in COLUMNS if not column.optional)
CODES = tuple(column.name for column in COLUMNS if column.type.name in ("ID", "CODE", "TEXT"))
# Days before months, as wherever days and months are set apart by points.
FORMATS = (ISO, "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y")
CALLED = "the file"
LOST = "what a spreadsheet leaves of a long number: its digits are lost, so export the column as text"
Source = CsvFile | WorkbookFile


def sheet_rows(path: Path, zone: str) -> Iterator[dict[str, Any]]:
    """The rows below the header, by the header's names. Raises Unfit where the file is broken, also after some rows."""
    try:
        file: Source = WorkbookFile(path, called=CALLED) if is_workbook(path) else CsvFile(path, called=CALLED)
        file.look_whole()
        header, delimiter = _header(file)
        yield from _read(file, header, delimiter, zone)
    except Undecodable as problem:
        raise FileRefused("file.utf8", str(problem).replace("is not utf-8", "is not UTF-8")) from None
    except Unreadable as problem:
        raise FileRefused("file.csv", str(problem)) from None
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, OSError) as problem:
        raise FileRefused("file.csv", f"the file is cut off or damaged: {problem}") from None


def _header(file: Source) -> tuple[Row, str]:
    """The line with the columns' names, and what sets them apart: the first separator by which all needed are there."""
    stated = getattr(file, "separator", "") or ","
    first, is_found = find_header(file.rows(stated), NEEDED)
    if first is None:
        raise FileRefused("file.empty", "the file is empty; a line with the columns' names was expected")
    if is_found or not isinstance(file, CsvFile):
        return first, stated
    for other in DELIMITERS:
        there, is_there = find_header(file.rows(other), NEEDED)
        if is_there and there:
            return there, other
    return first, stated


def _read(file: Source, header: Row, delimiter: str, zone: str) -> Iterator[dict[str, Any]]:
    names = [plain(name) for name in header.cells]
    named = [name for name in names if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise FileRefused("column.twice", f"the column {twice[0]} stands twice")
    width = max((place + 1 for place, name in enumerate(names) if name), default=0)
    is_sheet = isinstance(file, WorkbookFile)
    mark = _mark(file, header, delimiter, names)
    for row in file.rows(delimiter):
        if row.first <= header.first:
            continue
        cells = row.cells
        if row.is_broken:
            raise FileRefused(
                "file.csv", f"the file is no CSV: on line {row.first} quotes do not open and close a cell"
            )
        if is_sheet and len(cells) < width:
            cells = [*cells, *[""] * (width - len(cells))]
        if len(cells) < width or any(cell.strip() for cell in cells[len(names) :]):
            raise FileRefused(
                "file.csv", f"line {row.last} has {len(cells)} cells, the header {len(names)}: is the end cut off?"
            )
        # A column without a name is none of ours: what separators too many, or a table's index, leave.
        given = {name: cell for name, cell in zip(names, cells, strict=False) if name}
        yield _plain(given, mark, zone, is_sheet)


def _mark(file: Source, header: Row, delimiter: str, names: list[str]) -> Mark:
    if "price_amount" not in names:
        return "."
    place = names.index("price_amount")
    prices = {row.cells[place] for row in file.rows(delimiter) if row.first > header.first and place < len(row.cells)}
    proven, other = proven_mark(prices)
    return "" if other else proven


def _plain(row: dict[str, str], mark: Mark, zone: str, is_sheet: bool) -> dict[str, Any]:
    product: dict[str, Any] = {name: text or None for name, text in row.items()}
    for name in CODES:
        if text := row.get(name):
            product[name] = Doubtful.because(text, LOST) if is_lost_id(text) else shown_cell(text) if is_sheet else text
    currency = row.get("currency_code", "").strip()
    if currency:
        product["currency_code"] = currency_of(currency) or currency
    if price := row.get("price_amount", "").strip():
        product["price_amount"] = _price(price, mark, product.get("currency_code"))
    if changed := row.get("changed_at", "").strip():
        product["changed_at"] = moment(changed, FORMATS, zone) or changed
    return product


def _price(text: str, mark: Mark, currency: str | None) -> str:
    read = number(text, mark)
    if isinstance(read, UnreadableNumber):
        # A reader of files has no mapping to set a mark in.
        reason = read.reason.replace(": set decimal_mark", "; write all prices with a point and two decimals")
        return Doubtful.because(text, reason) if reason else text
    if read.currency and currency and read.currency != currency:
        return Doubtful.because(text, f"it is in {read.currency}, and currency_code is {currency}")
    return shown_cell(read.text)
