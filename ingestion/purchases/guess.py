"""What a file of purchases seems to be: its header, its columns, its forms; from all of its rows, and asking nothing.

Nothing is loaded by it. What is certain makes a mapping; what is assumed is marked in it, and what cannot be told is
left empty there, so that no load can pass over it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ingestion.core.errors import Unreadable
from ingestion.files.csv_rows import DELIMITERS, CsvFile, Row
from ingestion.files.currencies import currency_of
from ingestion.files.dates import Dates, dates
from ingestion.files.header import SEARCHED, is_total, plain
from ingestion.files.numbers import Mark, Number, UnreadableNumber, mark_of, number, proven_mark
from ingestion.purchases.layout import RowFile
from ingestion.purchases.mapping import PurchaseField
from ingestion.purchases.words import CANCELLED, CLOCKS, KNOWN, RANKS, RETURNED, folded

MOST_KEPT = 50_000
FITS = 0.8
ORDER: tuple[PurchaseField, ...] = (
    "purchased_at", "quantity", "unit_price", "line_amount", "currency_code", "status", "purchase_id", "customer_id",
    "seller_id", "product_id", "description",
)  # fmt: skip


@dataclass
class Column:
    """What a column holds: different texts (up to a bound), how many rows are empty, the first text."""

    name: str
    texts: dict[str, None] = field(default_factory=dict)
    empty: int = 0
    first: str = ""
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        """One cell of it."""
        text = text.strip()
        if not text:
            self.empty += 1
            return
        self.first = self.first or text
        if len(self.texts) < MOST_KEPT:
            self.texts[text] = None
        if text in self.counts or len(self.counts) < 50:
            self.counts[text] += 1


@dataclass
class LayoutGuess:
    """A mapping in the making. `assumed` and `open` are sentences: what was taken for granted, what must be said."""

    header: Row
    delimiter: str
    columns: dict[PurchaseField, tuple[str, ...]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    date_format: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    decimal_mark: Mark = ""
    skip: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fill_down: tuple[PurchaseField, ...] = ()
    assumed: dict[str, str] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)


def guess(file: RowFile, seller: str = "", currency: str = "") -> LayoutGuess:
    """Look at the whole file. Raises Unreadable where nothing in it looks like rows below a header."""
    header, delimiter = find(file)
    layout = LayoutGuess(header, delimiter)
    columns = _columns(file, header, delimiter)
    _assign(layout, columns)
    by_name = {column.name: column for column in columns}
    _times(layout, by_name)
    _numbers(layout, by_name)
    _currency(layout, by_name, currency)
    _constants(layout, seller)
    _statuses(layout, by_name)
    _filled(layout, by_name)
    used = {name for names in layout.columns.values() for name in names}
    layout.unused = [column.name for column in columns if column.name and column.name not in used and column.texts]
    return layout


def find(file: RowFile) -> tuple[Row, str]:
    """The row that names the most columns in words that are known, and the separator by which it does."""
    stated = getattr(file, "separator", "") or getattr(file, "delimiter", "")
    best: tuple[int, int, Row, str] | None = None
    for delimiter in [stated] if stated or not isinstance(file, CsvFile) else list(DELIMITERS):
        for row in islice(file.rows(delimiter), SEARCHED):
            names = {folded(cell) for cell in row.cells}
            known, width = len(names & KNOWN), sum(bool(cell.strip()) for cell in row.cells)
            if width >= 2 and (best is None or (known, 0) > (best[0], 0)):
                best = (known, width, row, delimiter)
    if best is None:
        raise Unreadable(f"{file.name} has no row with two or more cells: is it a file of rows?")
    if best[0] < 2:
        # No word is known: the first row as wide as most, whose cells are all texts, is the likeliest header.
        return _widest(file, best[3])
    return best[2], best[3]


def _widest(file: RowFile, delimiter: str) -> tuple[Row, str]:
    choices = [delimiter] if not isinstance(file, CsvFile) else list(DELIMITERS)
    ranked = []
    for by in choices:
        rows = list(islice(file.rows(by), SEARCHED))
        widths = Counter(len(row.cells) for row in rows if len(row.cells) > 1)
        if widths:
            width, seen = widths.most_common(1)[0]
            ranked.append((seen * width, next(row for row in rows if len(row.cells) == width), by))
    if not ranked:
        raise Unreadable(f"{file.name} has no rows of several cells.")
    _, row, by = max(ranked, key=lambda each: each[0])
    return row, by


def _columns(file: RowFile, header: Row, delimiter: str) -> list[Column]:
    columns = [Column(plain(name)) for name in header.cells]
    for row in file.rows(delimiter):
        if row.first <= header.first or is_total(next((cell for cell in row.cells if cell.strip()), "")):
            continue
        for column, cell in zip(columns, row.cells, strict=False):
            column.add(cell)
    return columns


def _assign(layout: LayoutGuess, columns: list[Column]) -> None:
    """To each field the column whose name fits best, of those whose texts are such as the field has."""
    names = Counter(column.name for column in columns)
    taken: set[str] = set()
    for name in ORDER:
        ranked = sorted(
            (rank, place, column.name)
            for place, column in enumerate(columns)
            if column.name not in taken
            and names[column.name] == 1
            and (rank := RANKS[name].get(folded(column.name))) is not None
            and _fits(name, column)
        )
        if ranked and not (name == "line_amount" and "unit_price" in layout.columns):
            layout.columns[name] = (ranked[0][2],)
            taken.add(ranked[0][2])
    if "product_id" not in layout.columns and "description" in layout.columns:
        layout.columns["product_id"] = layout.columns.pop("description")
        layout.assumed["product_id"] = "the file has no product codes: the name stands for one"


def _fits(name: PurchaseField, column: Column) -> bool:
    if not column.texts:
        return False
    if name == "purchased_at":
        found_dates = dates(islice(column.texts, 500))
        return found_dates.fitting >= FITS
    if name in ("quantity", "unit_price", "line_amount"):
        texts = list(islice(column.texts, 500))
        return sum(_is_number(text) for text in texts) >= FITS * len(texts)
    if name == "currency_code":
        return all(currency_of(text) for text in islice(column.texts, 20))
    if name in ("purchase_id", "product_id"):
        # A running number of rows, or a name of five letters for all of them, is no number of purchases.
        return not (name == "purchase_id" and dates(islice(column.texts, 100)).fitting > FITS)
    return True


def _is_number(text: str) -> bool:
    read = number(text, mark_of(text) or ".")
    return isinstance(read, Number) or bool(read.reason)


def _times(layout: LayoutGuess, columns: dict[str, Column]) -> None:
    named = layout.columns.get("purchased_at")
    if not named:
        return
    column = columns[named[0]]
    found_dates: Dates = dates(column.texts)
    clock = next((c for c in columns.values() if folded(c.name) in CLOCKS and c.name != column.name and c.texts), None)
    if not found_dates.has_clock and clock and ":" in clock.first:
        layout.columns["purchased_at"] = (column.name, clock.name)
        pairs = [f"{day} {hour}" for day, hour in zip(_repeated(column), _repeated(clock), strict=False)]
        # Days decide what is day and month; the clock's form comes from its own column.
        with_clock = dates([f"{day} {clock.first}" for day in column.texts] or pairs)
        found_dates = with_clock if with_clock.formats or with_clock.choices else found_dates
    layout.date_format, layout.choices = found_dates.formats, found_dates.choices
    if found_dates.choices:
        layout.open.append(
            f"date_format: in {column.name!r} no number above 12 tells days from months ({found_dates.example}). "
            "Choose " + " or ".join(f'"{choice}"' for choice in found_dates.choices)
        )


def _repeated(column: Column) -> list[str]:
    return list(islice(column.texts, 100))


def _numbers(layout: LayoutGuess, columns: dict[str, Column]) -> None:
    names = [layout.columns[f][0] for f in ("quantity", "unit_price", "line_amount") if f in layout.columns]
    texts = [text for name in names for text in columns[name].texts]
    proven, other = proven_mark(texts)
    if other:
        layout.assumed["decimal_mark"] = "points and commas both occur as decimal marks: each number is read by itself"
    elif proven:
        layout.decimal_mark = proven
    elif doubtful := [t for t in texts if isinstance(read := number(t, ""), UnreadableNumber) and read.reason]:
        layout.open.append(f'decimal_mark: {doubtful[0]} may be read in two ways. Choose "." or ","')


def _currency(layout: LayoutGuess, columns: dict[str, Column], stated: str) -> None:
    if stated:
        layout.columns.pop("currency_code", None)
        layout.constants["currency_code"] = stated
        return
    if "currency_code" in layout.columns:
        return
    names = [layout.columns[f][0] for f in ("unit_price", "line_amount") if f in layout.columns]
    signs = (
        _signs_in(columns[name] for name in names)
        or _currencies_of(names)
        or _signs_in(columns.values())
        or _currencies_of(columns)
    )
    if len(signs) == 1:
        layout.constants["currency_code"] = signs.pop()
        layout.assumed["currency_code"] = "as signs or columns' names say"
        return
    layout.constants["currency_code"] = ""
    layout.open.append("currency_code: nothing in the file names the currency. Give it: --currency KZT")


def _signs_in(columns: Iterable[Column]) -> set[str]:
    """The currencies that stand beside the numbers of columns."""
    signs = set()
    for column in columns:
        for text in islice(column.texts, 1_000):
            read = number(text, mark_of(text) or ".") if len(text) < 40 else None
            if isinstance(read, Number) and read.currency:
                signs.add(read.currency)
    return signs


def _currencies_of(names: Iterable[str]) -> set[str]:
    """What stands in the names themselves: Price (USD), Сумма, тг."""
    words = (word.strip("()[],.:") for name in names for word in name.replace(",", " ").split()[1:])
    return {code for word in words if (code := currency_of(word))}


def _constants(layout: LayoutGuess, seller: str) -> None:
    if seller or "seller_id" not in layout.columns:
        layout.columns.pop("seller_id", None)
        layout.constants["seller_id"] = seller or "my-shop"
        if not seller:
            layout.assumed["seller_id"] = "how Sauda calls this shop: change it before the first load, and keep it then"
    if "quantity" not in layout.columns:
        layout.constants["quantity"] = "1"
        layout.assumed["quantity"] = "no column tells pieces: each row is one"
    if "product_id" not in layout.columns:
        layout.constants["product_id"] = "order"
        layout.assumed["product_id"] = "no column tells products: each row is of one called so"
    for name, what in (("purchase_id", "the number of the purchase"), ("purchased_at", "when it was bought")):
        if name not in layout.columns:
            layout.columns[name] = ("",)  # type: ignore[index]
            layout.open.append(f"{name}: no column looks like {what}. Name it under [columns]")
    if "unit_price" not in layout.columns and "line_amount" not in layout.columns:
        layout.columns["unit_price"] = ("",)
        layout.open.append("unit_price: no column looks like a price or a sum. Name it under [columns]")


def _statuses(layout: LayoutGuess, columns: dict[str, Column]) -> None:
    named = layout.columns.pop("status", None)
    if not named:
        return
    layout.statuses = columns[named[0]].counts
    cancelled = tuple(value for value in layout.statuses if CANCELLED.fullmatch(value))
    returned = [value for value in layout.statuses if RETURNED.fullmatch(value)]
    if cancelled:
        layout.skip[named[0]] = cancelled
    if returned:
        layout.assumed[named[0]] = (
            f"{', '.join(returned)} count as sales: put them under [skip] where no rows of the file take them back"
        )


def _filled(layout: LayoutGuess, columns: dict[str, Column]) -> None:
    """Reports that write an order's facts into its first row only."""
    ids = columns.get(layout.columns["purchase_id"][0])
    product = columns.get(layout.columns.get("product_id", ("",))[0])
    if ids is None or product is None or not ids.empty or ids.empty <= product.empty:
        if ids and product and not ids.empty:
            at = columns.get(layout.columns["purchased_at"][0])
            if at and at.empty > product.empty:
                layout.fill_down = ("purchased_at",)
        return
    silent: list[PurchaseField] = [
        name
        for name in ("purchase_id", "purchased_at", "customer_id", "currency_code", "seller_id")
        if (column := columns.get(layout.columns.get(name, ("",))[0])) is not None and column.empty > product.empty
    ]
    layout.fill_down = tuple(silent)


def as_dict(layout: LayoutGuess, timezone: str) -> dict[str, Any]:
    """What the mapping would say, for `Mapping`."""
    mapping: dict[str, Any] = {
        "delimiter": layout.delimiter or None, "decimal_mark": layout.decimal_mark or None, "timezone": timezone,
        "date_format": layout.date_format or layout.choices[:1] or ("iso",), "fill_down": layout.fill_down,
        "columns": layout.columns, "constants": layout.constants, "skip": layout.skip,
    }  # fmt: skip
    return mapping
