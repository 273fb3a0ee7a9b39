"""The first pass over a file of purchases, and what it finds: whose rows there are, what is left out, what is odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ingestion.files.csv_rows import Row, Undecodable
from ingestion.files.header import is_total
from ingestion.files.identifiers import cut_zeros
from ingestion.files.numbers import Mark, is_lost_id, proven_mark
from ingestion.files.workbook import WorkbookFile, shown_cell
from ingestion.purchases.cells import without_point_zero
from ingestion.purchases.layout import Layout, layout, row_file
from ingestion.purchases.mapping import Mapping, PurchaseField

Key = tuple[str, str]
MOST_KEPT = 100_000
"""Different texts of a column that are kept to tell something from them."""
SHOWN_LINES = 5


class Filled:
    """Rows in which an empty cell stands for the one above it, as reports leave out what repeats."""

    def __init__(self, at: dict[PurchaseField, tuple[int, ...]], fields: tuple[PurchaseField, ...]) -> None:
        self._places = [place for field in fields for place in at.get(field, ())]
        self._id_at = at["purchase_id"][0]
        self._above: list[str] = []

    def row(self, row: Row) -> Row:
        """The row with these cells filled; a new purchase begins anew. What names no product is filled too."""
        above, cells = self._above, row.cells
        same = not cells[self._id_at].strip() or (bool(above) and cells[self._id_at] == above[self._id_at])
        if above and same and any(cells[place].strip() for place in range(len(cells)) if place not in self._places):
            cells = list(cells)
            for place in self._places:
                cells[place] = cells[place] if cells[place].strip() else above[place]
        self._above = cells
        return row._replace(cells=cells)


class LeftOut:
    """Rows that do not count for what a column says of them."""

    def __init__(self, rules: tuple[tuple[int, frozenset[str]], ...]) -> None:
        self._rules = rules
        self._last: Key | None = None
        self._value = ""

    def value(self, row: Row, key: Key | None) -> str:
        """The value for which the row is left out, or nothing. A row that is silent goes with the purchase it is of."""
        is_silent = True
        raw_cell = ""
        for place, values in self._rules:
            value = row.cells[place].strip() if place < len(row.cells) else ""
            is_silent = is_silent and not value
            if not raw_cell and value.casefold() in values:
                raw_cell = value
        if not is_silent or key is None or key != self._last:
            self._value = raw_cell
        self._last = key
        return self._value


class Reading:
    """Opening it reads the file once. `lines` counts the rows of each purchase, `total` the events that they make."""

    def __init__(self, path: Path, mapping: Mapping, encoding: str = "") -> None:
        self.file = row_file(path, mapping, encoding)
        self.is_sheet = isinstance(self.file, WorkbookFile)
        self._mapping = mapping
        self._print = self.file.fingerprint() if path.is_file() else (0, 0)
        self._constant_seller = mapping.constants.get("seller_id", "")
        try:
            self._survey()
        except Undecodable:
            if not self.file.look_whole():
                raise
            self._survey()

    def _survey(self) -> None:
        self.layout: Layout = layout(self.file, self._mapping)
        self.lines: Counter[Key] = Counter()
        self.total = self.rows = 0
        self.totals_at: list[int] = []
        self.skipped: Counter[str] = Counter()
        at = self.layout.at
        numbers: set[str] = set()
        products: set[str] = set()
        columns = [at[name][0] for name in ("quantity", "unit_price", "line_amount") if name in at]
        kept = [] if self._mapping.decimal_mark else [(place, numbers) for place in columns]
        if "product_id" in at:
            kept.append((at["product_id"][0], products))
        lines, width = self.lines, self.layout.width
        count = 0
        for count, (row, key) in enumerate(self.purchase_rows(is_first=True), 1):  # noqa: B007
            if key is None:
                self.total += 1
            else:
                lines[key] += 1
            cells = row.cells
            if len(cells) != width:
                continue
            for place, known in kept:
                if len(known) < MOST_KEPT:
                    known.add(cells[place])
        self.rows = count
        self.total += len(lines)
        self.mark, self.other_mark = self._marks(numbers)
        self._cut = cut_zeros(products)

    def _marks(self, numbers: set[str]) -> tuple[Mark, Mark]:
        if self._mapping.decimal_mark:
            return self._mapping.decimal_mark, ""
        proven, other = proven_mark(numbers)
        # Where both are proven each number is read by what it proves itself, and one that proves nothing is refused.
        return ("" if other else proven), other

    def purchase_rows(self, *, is_first: bool = False) -> Iterator[tuple[Row, Key | None]]:
        """The rows below the header that are lines of purchases, each with the purchase that it names."""
        layout, width, at = self.layout, self.layout.width, self.layout.at
        header, id_at = layout.header.first, at["purchase_id"][0]
        seller_at, constant_seller = at.get("seller_id", (-1,))[0], self._constant_seller
        # A file of one product for all rows tells sums by the purchase's own cell alone.
        product_at = at.get("product_id", at["purchase_id"])[0]
        # Keys as they stand in the file, to keys as they are meant: each is worked out once.
        known: dict[tuple[str, str], Key | None] = {}
        filled = Filled(at, self._mapping.fill_down) if self._mapping.fill_down else None
        left_out = LeftOut(layout.skip) if layout.skip else None
        for row in self.file.rows(layout.delimiter):
            if row.first <= header:
                continue
            if len(row.cells) != width:
                row = self._fitted(row)
            cells = row.cells
            is_whole = len(cells) == width
            if filled and is_whole:
                row = filled.row(row)
                cells = row.cells
            if (not is_whole or not cells[product_at].strip()) and self._is_sum(row, product_at):
                if is_first:
                    self.totals_at.append(row.first)
                continue
            written = (
                constant_seller if seller_at < 0 else cells[seller_at] if seller_at < len(cells) else "",
                cells[id_at] if id_at < len(cells) else "",
            )
            try:
                key = known[written]
            except KeyError:
                key = self._key(*written)
                if len(known) < MOST_KEPT:
                    known[written] = key
            if left_out and (value := left_out.value(row, key)):
                if is_first:
                    self.skipped[value] += 1
                continue
            yield row, key

    def _fitted(self, row: Row) -> Row:
        """Without the empty cells that a separator too many, or a column without a name, leaves at a row's end."""
        cells, width = row.cells, self.layout.width
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            return row._replace(cells=cells[:width])
        if len(cells) < width and self.is_sheet:
            return row._replace(cells=[*cells, *[""] * (width - len(cells))])
        return row

    def _is_sum(self, row: Row, product_at: int) -> bool:
        """Whether a row without a product is no line of a purchase but the sum of others."""
        cells, at = row.cells, self.layout.at
        if product_at < len(cells) and cells[product_at].strip() and "product_id" in at:
            return False
        purchase = self.purchase_cell(row)
        if is_total(purchase or next((cell for cell in cells if cell.strip()), "")):
            return True
        has_time = any(cells[place].strip() for place in at.get("purchased_at", ()) if place < len(cells))
        return not purchase and not has_time and len(cells) == self.layout.width

    def purchase_cell(self, row: Row) -> str:
        """The row's purchase number as it stands."""
        at = self.layout.at["purchase_id"][0]
        return row.cells[at].strip() if at < len(row.cells) else ""

    def _key(self, seller: str, purchase_id: str) -> Key | None:
        """Seller and purchase id: two sellers may count alike. None where the row names no purchase."""
        purchase_id = purchase_id.strip()
        if not purchase_id or is_lost_id(purchase_id):
            return None
        if "purchase_id" in self._mapping.point_zero:
            purchase_id = without_point_zero(purchase_id)
        return seller.strip(), shown_cell(purchase_id) if self.is_sheet else purchase_id

    def seller(self, row: Row) -> str:
        """The row's seller, or that of all rows."""
        at = self.layout.at.get("seller_id")
        if at is None:
            return self._constant_seller
        return row.cells[at[0]].strip() if at[0] < len(row.cells) else ""

    def has_changed(self) -> bool:
        """Whether the file is another one than at the first pass."""
        return self.file.fingerprint() != self._print

    def left_out(self) -> dict[str, int]:
        """How many rows are no lines of purchases that count, where there are any."""
        counts = {"total_rows": len(self.totals_at), "skipped_rows": self.skipped.total()}
        return {name: count for name, count in counts.items() if count}

    def notes(self) -> list[str]:
        """What is worth knowing before the rows are sent."""
        name, header = self.file.name, self.layout.header
        chosen = getattr(self.file, "chosen", "utf-8").removesuffix("-sig")
        notes = [f"{name} is read as {chosen}."] if chosen != "utf-8" and not self._mapping.encoding else []
        above = header.first - 1
        if above - bool(getattr(self.file, "separator", "")) > 0:
            notes.append(f"{name}: the header is line {header.first:,}; what stands above it is left out.")
        if self.totals_at:
            count, where = _rows(len(self.totals_at)), _lines(self.totals_at)
            notes.append(f"{name}: {count} of totals, no purchases, left out: {where}.")
        if self.skipped:
            values = ", ".join(f"{value} {count:,}" for value, count in self.skipped.most_common(8))
            notes.append(f"{name}: {_rows(self.skipped.total())} left out as the mapping's skip says: {values}.")
        if self.other_mark:
            notes.append(
                f"{name} has numbers with a decimal point and numbers with a decimal comma: each is read by itself, "
                "and one that could be either is refused. Set decimal_mark in the mapping."
            )
        if self._cut:
            notes.append(
                f"{name}: a spreadsheet may have cut leading zeros off {self._cut.codes:,} product codes, such as "
                f"{self._cut.example}, which with {self._cut.zeros} before it is a sound bar code. Export the column "
                "as text."
            )
        return notes


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _lines(lines: list[int]) -> str:
    shown = ", ".join(f"{line:,}" for line in lines[:SHOWN_LINES])
    return f"line{'s' if len(lines) > 1 else ''} {shown}{', …' if len(lines) > SHOWN_LINES else ''}"
