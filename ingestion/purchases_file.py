"""Purchases from a CSV file of one line per purchase line; all lines of a purchase make one event.

The file is read twice. The first pass proves that it can be read to its end and counts each purchase's lines; the
second keeps a purchase only until its count is complete, so memory follows the purchases that are open at one time and
not the file. Ids come from content: sent again, from another file name or packed, the same purchase is the same event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

import click
import orjson

from ingestion.csv_rows import CsvFile, Row
from ingestion.errors import IngestError, Unreadable
from ingestion.message import Message, cloud_event, instant
from ingestion.publish import Say
from ingestion.purchases_cells import (
    MONEY_EXPECTED,
    WHOLE_EXPECTED,
    Problem,
    moment,
    moment_expected,
    money,
    unreadable_moment,
    whole,
    without_point_zero,
)
from ingestion.purchases_mapping import FIELDS, ONLINE_RETAIL, Mapping, PurchaseField, load_mapping
from ingestion.registry import Around, Source
from schemas.contract import contract
from schemas.derive.content import Content, content_id, written
from schemas.purchases.events import PurchaseEvent

EVENT = contract(PurchaseEvent)
CONTENT = Content(EVENT)
SHOWN_PROBLEMS = 20
Key = tuple[str, str]


@dataclass(slots=True)
class _Open:
    """A purchase whose lines are being gathered."""

    first: int
    last: int
    seller_id: str
    currencies: dict[str, None] = field(default_factory=dict)
    customers: dict[str, None] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    units: int = 0
    at: datetime | None = None
    unread_time: str | None = None
    torn_row: str = ""


class PurchasesFile:
    """Opening it makes the first pass; raises Unreadable before anything is sent. `say` hears of rows that have faults.

    `total` is the number of events, `rows` that of the lines in them.
    """

    topic = "purchases"
    again = "Running it again completes the rest and doubles nothing: ids come from content."

    def __init__(self, path: Path, say: Say, *, mapping: Mapping = ONLINE_RETAIL, encoding: str = "utf-8") -> None:
        self._file = CsvFile(path, encoding, mapping.delimiter)
        self._mapping, self._say = mapping, say
        self._print = self._file.fingerprint() if path.is_file() else (0, 0)
        rows = self._file.rows()
        header = next(rows, None)
        if header is None:
            raise Unreadable(f"{self._file.name} is empty.")
        self._at = mapping.positions(header.cells, self._file.name)
        self._constant_seller = mapping.constants.get("seller_id", "")
        # Constants, and an empty cell for what the file does not have, stand behind each row's own cells.
        self._width = len(header.cells)
        self._extra = [*mapping.constants.values(), ""]
        behind: dict[PurchaseField, int] = {}
        for place, name in enumerate(mapping.constants):
            behind[name] = self._width + place
        nothing = self._width + len(behind)
        self._pick = itemgetter(*(self._at.get(name, behind.get(name, nothing)) for name in FIELDS))
        self._left: Counter[Key] = Counter()
        self.total = self.rows = self.problems = 0
        for row in rows:
            self.rows += 1
            key = self._key(row)
            if key is None:
                self.total += 1
            else:
                self._left[key] += 1
        self.total += len(self._left)

    def figures(self) -> dict[str, int]:
        return {"rows": self.rows, "row_problems": self.problems}

    def closing(self) -> str:
        """What the summary adds."""
        if not self.problems:
            return ""
        return (
            f"{self.problems:,} faults in rows; their purchases were sent as they stand, and the stream keeps those "
            "that break a rule in quarantine, with the reason."
        )

    def messages(self) -> Iterator[Message]:
        """One event a purchase, when its last line is reached; a row without a purchase id is an event by itself."""
        left = self._left.copy()
        waiting: dict[Key, _Open] = {}
        rows = self._file.rows()
        next(rows, None)
        for row in rows:
            key = self._key(row)
            if key is None:
                alone = _Open(row.first, row.last, self._seller(row))
                self._add(alone, row)
                self._problem(row.first, self._column("purchase_id"), "", "a purchase id")
                # Rows without an id may be equal and are still two: their place tells them apart.
                yield self._message(alone, "", salt=row.first)
                continue
            purchase = waiting.get(key)
            if purchase is None:
                purchase = waiting[key] = _Open(row.first, row.last, key[0])
            self._add(purchase, row)
            left[key] -= 1
            if left[key] <= 0:
                del waiting[key], left[key]
                yield self._message(purchase, key[1])
        if waiting or left or self._file.fingerprint() != self._print:
            raise IngestError(f"{self._file.name} changed while it was read. Run it again.")

    def _key(self, row: Row) -> Key | None:
        """Seller and purchase id: two sellers may count alike. None where the row names no purchase."""
        at = self._at["purchase_id"]
        purchase_id = row.cells[at] if at < len(row.cells) else ""
        if not purchase_id.strip():
            return None
        if "purchase_id" in self._mapping.point_zero:
            purchase_id = without_point_zero(purchase_id)
        return self._seller(row), purchase_id

    def _seller(self, row: Row) -> str:
        at = self._at.get("seller_id")
        if at is None:
            return self._constant_seller
        return row.cells[at] if at < len(row.cells) else ""

    def _add(self, purchase: _Open, row: Row) -> None:
        purchase.last = row.last
        if len(row.cells) != self._width:
            self._add_torn(purchase, row)
            return
        if row.is_broken:
            self._problem(row.first, "(all)", self._text(row), "quotes that open and close a cell")
        _, product_id, description, quantity, time, price, customer, _, currency = self._pick(row.cells + self._extra)
        line: dict[str, Any] = {"product_id": product_id}
        if "product_id" in self._mapping.point_zero:
            line["product_id"] = without_point_zero(product_id)
        if description:
            line["description"] = description
        self._add_numbers(purchase, row, line, quantity, price)
        purchase.lines.append(line)
        self._add_time(purchase, row, time)
        if "customer_id" in self._mapping.point_zero:
            customer = without_point_zero(customer)
        self._note(purchase.customers, customer, row, "customer_id")
        self._note(purchase.currencies, currency, row, "currency_code")

    def _add_torn(self, purchase: _Open, row: Row) -> None:
        """Which cell is missing or too many cannot be known: the row's text stands where a number must."""
        self._problem(row.first, "(all)", f"{len(row.cells)} cells", f"{self._width} cells")
        at = self._at["product_id"]
        product_id = row.cells[at] if at < len(row.cells) else ""
        purchase.torn_row = self._text(row)
        purchase.lines.append({"product_id": product_id, "quantity": purchase.torn_row, "unit_price": None})

    def _add_numbers(
        self, purchase: _Open, row: Row, line: dict[str, Any], quantity_text: str, price_text: str
    ) -> None:  # fmt: skip
        quantity, price = whole(quantity_text), money(price_text, self._mapping.decimal_mark)
        line["quantity"] = quantity_text if quantity is None else quantity
        line["unit_price"] = price_text if price is None else price[0]
        if quantity is None:
            self._problem(row.first, self._column("quantity"), quantity_text, WHOLE_EXPECTED)
        if price is None:
            self._problem(row.first, self._column("unit_price"), price_text, MONEY_EXPECTED)
        elif quantity is not None:
            purchase.units += quantity * price[1]

    def _add_time(self, purchase: _Open, row: Row, text: str) -> None:
        at = moment(text, self._mapping.date_format, self._mapping.timezone)
        if at is None:
            purchase.unread_time = text
            self._problem(row.first, self._column("purchased_at"), text, moment_expected(self._mapping))
        elif purchase.at is None or at < purchase.at:
            # The till that wrote the UCI file went on to the next minute within 43 of its invoices.
            purchase.at = at

    def _note(self, known: dict[str, None], value: str, row: Row, name: PurchaseField) -> None:
        if not value:
            return
        if known and value not in known:
            self._problem(row.first, self._column(name), value, f"{next(iter(known))!r}, as the purchase began with")
        known[value] = None

    def _text(self, row: Row) -> str:
        return self._mapping.delimiter.join(row.cells)

    def _column(self, name: PurchaseField) -> str:
        return self._mapping.columns.get(name, name)

    def _problem(self, line: int, column: str, found: str, expected: str) -> None:
        self.problems += 1
        if self.problems <= SHOWN_PROBLEMS:
            self._say(Problem(line, column, found, expected).sentence(self._file.name))
        elif self.problems == SHOWN_PROBLEMS + 1:
            self._say("Further rows with faults are counted, not shown.")

    def _message(self, purchase: _Open, purchase_id: str, salt: int = 0) -> Message:
        time = instant(purchase.at) if purchase.at else None
        body: dict[str, Any] = {
            "purchase_id": purchase_id,
            "purchased_at": time or unreadable_moment(purchase.torn_row, self._mapping),
            "seller_id": purchase.seller_id,
            "currency_code": _only(purchase.currencies, "currencies"),
            "lines": purchase.lines,
        }
        if purchase.unread_time is not None:
            body["purchased_at"] = unreadable_moment(purchase.unread_time, self._mapping)
        if customer := _only(purchase.customers, "customers"):
            body["customer_id"] = customer
        event_id = content_id(EVENT.event_type, written(CONTENT.of(body)), place=salt)
        source = f"file:{self._file.name}"
        body["source"] = f"{source}:{purchase.first}-{purchase.last}"
        return Message(
            event_id,
            event_id.encode(),
            orjson.dumps(body),
            cloud_event(event_id, "purchase", source, time),
            amount=Decimal(f"{purchase.units}E-4"),
            lines=len(purchase.lines),
        )


def _only(found: dict[str, None], what: str) -> str | list[str]:
    """The one value, or none. Several make a list: of the wrong type and, where it is taken for text, too long."""
    if len(found) <= 1:
        return next(iter(found), "")
    return [*found, f"the rows of this one purchase name {len(found)} different {what}; it can have only one"]


def _encoding(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        "".encode(value)
    except LookupError:
        raise click.BadParameter(
            f"{value!r} is unknown; utf-8, windows-1251 and latin-1 are among the known."
        ) from None
    return value


def _open(around: Around, *, file: Path, mapping: Path | None, encoding: str) -> PurchasesFile:
    around.say(f"Reading {file.name} …")
    return PurchasesFile(
        file, around.say, mapping=load_mapping(mapping) if mapping else ONLINE_RETAIL, encoding=encoding
    )


SOURCE = Source(
    "purchases.file",
    "Purchases from a CSV file (gz or plain) of one line per purchase line.",
    (
        click.Argument(["file"], type=click.Path(path_type=Path)),
        click.Option(["--mapping"], type=click.Path(path_type=Path), help="TOML or JSON file of column names."),
        click.Option(["--encoding"], default="utf-8", show_default=True, callback=_encoding, help="Of the file."),
    ),
    _open,
)
