"""Exchange rates from a CSV file: date, currency, rate, and where there are any quantity and base.

A wrong rate spoils every total, so a file is taken whole or not at all: what cannot be read is named by its line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import click

from ingestion.core.errors import Unreadable
from ingestion.core.registry import RunContext, Source
from ingestion.files.csv_rows import CsvFile, Row
from ingestion.rates.quotes import Key, Quote, Quotes, held
from schemas.contract.types import RATE, RATE_TEXT

NAME = "rates.file"
NAMES: Mapping[str, tuple[str, ...]] = {
    "date": ("date", "day", "quoted_on", "rate_date"),
    "currency": ("currency", "currency_code", "code", "title"),
    "rate": ("rate", "value", "description"),
    "quantity": ("quantity", "quant", "nominal", "units"),
    "base": ("base", "base_currency", "base_currency_code"),
}
"""Each column by the names that it may have; the last two may be left out."""
NEEDED = ("date", "currency", "rate")
SEPARATORS = (";", "\t", ",")
CURRENCY = re.compile(r"[A-Z]{3}")
SHOWN = 20


def quotes(path: Path, *, base: str, encoding: str) -> list[Quote]:
    """The rates of the file. Raises Unreadable, which names lines, where one cannot be read or is given twice."""
    file, header = _opened(path, encoding)
    at = _columns(header.cells, file.name)
    by_key: dict[Key, tuple[int, Quote]] = {}
    wrong: list[str] = []
    for row in _body(file):
        try:
            quote = _quote(row, at, base, file.name)
            line, before = by_key.setdefault(quote.key, (row.first, quote))
            if (before.rate, before.quantity) != (quote.rate, quote.quantity):
                raise ValueError(f"{quote.currency} of {quote.day} has another rate in line {line}")
        except ValueError as problem:
            wrong.append(f"line {row.first}: {problem}")
    if wrong:
        more = f"\n… and {len(wrong) - SHOWN:,} more" if len(wrong) > SHOWN else ""
        raise Unreadable(f"{file.name} is refused, nothing was sent:\n" + "\n".join(wrong[:SHOWN]) + more)
    if not by_key:
        raise Unreadable(f"{file.name} has no rates below its header.")
    return [quote for _, quote in by_key.values()]


def _opened(path: Path, encoding: str) -> tuple[CsvFile, Row]:
    """The file with its separator, and its header. Excel's line ``sep=`` goes before what the header looks like."""
    header = next((line for line in CsvFile(path, encoding).lines(3) if line.strip()), "")
    file = CsvFile(path, encoding, max(SEPARATORS, key=header.count))
    first = next(file.rows(), None)
    if first is None:
        raise Unreadable(f"{file.name} is empty.")
    return file, first


def _body(file: CsvFile) -> Iterator[Row]:
    rows = file.rows()
    next(rows)
    return rows


def _columns(header: list[str], name: str) -> dict[str, int]:
    written = [cell.strip().lower().replace(" ", "_") for cell in header]
    by_key = {
        column: next(written.index(known) for known in names if known in written)
        for column, names in NAMES.items() if any(known in written for known in names)
    }  # fmt: skip
    if lacking := [column for column in NEEDED if column not in by_key]:
        raise Unreadable(
            f"{name} lacks the column{'s' * (len(lacking) > 1)} {', '.join(lacking)}; its header has "
            f"{', '.join(cell.strip() for cell in header)[:200]}. Expected: date, currency, rate, and quantity and "
            "base where they are not 1 and the one that --base names."
        )
    return by_key


def _quote(row: Row, at: Mapping[str, int], base: str, name: str) -> Quote:
    def cell(column: str) -> str:
        place = at.get(column)
        return row.cells[place].strip() if place is not None and place < len(row.cells) else ""

    if row.is_broken:
        raise ValueError("its quotes do not close")
    currency, to = cell("currency").upper(), cell("base").upper() or base
    for code in (currency, to):
        if not CURRENCY.fullmatch(code):
            raise ValueError(f"{code[:40]!r} is no currency code of three letters")
    if currency == to:
        raise ValueError(f"{currency} has a rate to itself")
    return Quote(
        to, currency, _day(cell("date")), _number("rate", cell("rate")),
        _number("quantity", cell("quantity") or "1"), f"{name}:{row.first}",
    )  # fmt: skip


def _day(text: str) -> date:
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise ValueError(f"the date {text[:40]!r} is neither like 2026-01-31 nor like 31.01.2026")


def _number(what: str, text: str) -> str:
    plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    if not re.fullmatch(RATE_TEXT, plain) or not plain.strip("0."):
        raise ValueError(f"{what} must be {RATE.article}; found {text[:40]!r}")
    return plain


def _open(context: RunContext, *, file: Path, base: str | None, encoding: str) -> Quotes:
    settings = context.settings()
    if encoding:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise Unreadable(f"--encoding {encoding}: no encoding is called so; one is windows-1251.") from None
    chosen = (base or settings.base_currency).upper()
    if not CURRENCY.fullmatch(chosen):
        raise Unreadable(f"--base {chosen}: a currency code of three letters was expected.")
    by_key = quotes(file, base=chosen, encoding=encoding)
    return Quotes(by_key, held(settings, by_key, context.say), context.now)


SOURCE = Source(
    NAME,
    "Exchange rates from a CSV file: date, currency, rate, and quantity and base where it has them.",
    (
        click.Argument(["file"], type=click.Path(path_type=Path)),
        click.Option(["--base"], help="Currency in which the rates are given.  [default: SAUDA_BASE_CURRENCY]"),
        click.Option(["--encoding"], default="", help="Of the file.  [default: told from its bytes]"),
    ),
    _open,
)
