"""Purchases from a file of one row per purchase line; all lines of a purchase make one event.

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
from pathlib import Path
from typing import Any
from unicodedata import normalize

import orjson

from ingestion.core.errors import IngestError
from ingestion.core.message import Message, cloud_event, instant
from ingestion.core.publish import Say
from ingestion.files.csv_rows import Row
from ingestion.files.currencies import currency_of
from ingestion.files.instants import expected, moment
from ingestion.files.numbers import is_lost_id
from ingestion.files.workbook import shown_cell
from ingestion.purchases.cells import (
    ID_EXPECTED,
    Amount,
    Fault,
    Problem,
    as_it_stands,
    money,
    price_of,
    refused_id,
    unreadable_moment,
    whole,
    without_point_zero,
)
from ingestion.purchases.mapping import ONLINE_RETAIL, Mapping, PurchaseField
from ingestion.purchases.reading import MOST_KEPT, Key, Reading
from schemas.contract import contract
from schemas.derive.content_id import Content, content_id, written
from schemas.purchases.events import PurchaseEvent

EVENT = contract(PurchaseEvent)
CONTENT = Content(EVENT)
SHOWN_PROBLEMS = 20


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
    time_text: str | None = None
    torn_row: str = ""
    has_two_times: bool = False
    is_plain: bool = True


class PurchasesFile:
    """Opening it makes the first pass; raises Unreadable before anything is sent. `say` hears of rows that have faults.

    `total` is the number of events, `rows` that of the lines in them.
    """

    topic = "purchases"
    again = "Running it again completes the rest and doubles nothing: ids come from content."

    def __init__(self, path: Path, say: Say, *, mapping: Mapping = ONLINE_RETAIL, encoding: str = "") -> None:
        self._reading = reading = Reading(path, mapping, encoding)
        self._mapping, self._say = mapping, say
        self._name, self._mark = reading.file.name, reading.mark
        self.source = f"file:{self._name}"
        self._formats, self._zone = mapping.date_format, mapping.timezone
        self._pick, self._extra, self._width = reading.layout.pick, reading.layout.extra, reading.layout.width
        self._times_at = reading.layout.at.get("purchased_at", ())
        self._is_sheet = reading.is_sheet
        self._is_one_piece = "quantity" in mapping.constants
        self._two_times: Counter[str] = Counter()
        # Ids as they stand, to ids as they are meant: each is worked out once.
        self._products: dict[str, str] = {}
        self._customers: dict[str, str] = {}
        self.total, self.rows, self.problems = reading.total, reading.rows, 0
        for sentence in reading.notes():
            say(sentence)

    def figures(self) -> dict[str, int]:
        return {"rows": self.rows, "row_problems": self.problems, **self._reading.left_out()}

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
        left = self._reading.lines.copy()
        waiting: dict[Key, _Open] = {}
        for row, key in self._reading.purchase_rows():
            if key is None:
                yield self._nameless(row)
                continue
            purchase = waiting.get(key)
            if purchase is None:
                purchase = waiting[key] = _Open(row.first, row.last, key[0])
            self._add(purchase, row)
            left[key] -= 1
            if left[key] <= 0:
                del waiting[key], left[key]
                yield self._message(purchase, key[1])
        if waiting or left or self._reading.has_changed():
            raise IngestError(f"{self._name} changed while it was read. Run it again.")
        self._tell_of_times()

    def _nameless(self, row: Row) -> Message:
        """A row whose purchase is not known. Such rows may be equal and are still two: their place tells them apart."""
        alone = _Open(row.first, row.last, self._reading.seller(row))
        self._add(alone, row)
        cell = self._reading.purchase_cell(row)
        if is_lost_id(cell):
            self._problem(row.first, self._column("purchase_id"), cell, ID_EXPECTED)
            return self._message(alone, refused_id(cell), salt=row.first)
        self._problem(row.first, self._column("purchase_id"), "", "a purchase id")
        return self._message(alone, "", salt=row.first)

    def _add(self, purchase: _Open, row: Row) -> None:
        purchase.last = row.last
        if len(row.cells) != self._width:
            self._add_torn(purchase, row)
            return
        if row.is_broken:
            self._problem(row.first, "(all)", self._text(row), "quotes that open and close a cell")
        _, product_id, description, quantity, time, price, customer, _, currency, amount, _ = self._pick(
            row.cells + self._extra
        )
        line: dict[str, Any] = {"product_id": self._products.get(product_id) or self._id(product_id, row, "product_id")}
        if description:
            line["description"] = shown_cell(description) if self._is_sheet else description
        code = (currency_of(currency) or currency) if currency else ""
        self._add_numbers(purchase, row, line, quantity, price, amount, code)
        purchase.lines.append(line)
        if len(self._times_at) > 1:
            time = " ".join(filter(None, (row.cells[at].strip() for at in self._times_at)))
        if time != purchase.time_text:
            purchase.time_text = time
            self._add_time(purchase, row, time)
        if customer:
            meant = self._customers.get(customer) or self._id(customer, row, "customer_id")
            self._note(purchase.customers, meant, row, "customer_id")
        if code:
            self._note(purchase.currencies, code, row, "currency_code")

    def _id(self, text: str, row: Row, name: PurchaseField) -> Any:
        """An id as it is meant; one whose digits are lost in a form that is refused."""
        meant = text.strip()
        if name in self._mapping.point_zero:
            meant = without_point_zero(meant)
        if self._is_sheet:
            meant = shown_cell(meant)
        if is_lost_id(meant):
            self._problem(row.first, self._column(name), meant, ID_EXPECTED)
            # Of a customer the two texts make one: rows of a purchase are told apart by them.
            return refused_id(meant) if name == "product_id" else "; ".join(refused_id(meant))
        known = self._products if name == "product_id" else self._customers
        if len(known) < MOST_KEPT:
            known[text] = meant
        return meant

    def _add_torn(self, purchase: _Open, row: Row) -> None:
        """Which cell is missing or too many cannot be known: the row's text stands where a number must."""
        self._problem(row.first, "(all)", f"{len(row.cells)} cells", f"{self._width} cells")
        at = self._reading.layout.at.get("product_id", (0,))[0]
        product_id = row.cells[at] if at < len(row.cells) else ""
        purchase.torn_row = self._text(row)
        purchase.is_plain = False
        purchase.lines.append({"product_id": product_id, "quantity": purchase.torn_row, "unit_price": None})

    def _add_numbers(
        self, purchase: _Open, row: Row, line: dict[str, Any], quantity_text: str, price_text: str, sum_text: str,
        code: str,
    ) -> None:  # fmt: skip
        quantity, price = whole(quantity_text, self._mark), money(sum_text or price_text, self._mark)
        column: PurchaseField = "line_amount" if sum_text else "unit_price"
        if sum_text and isinstance(price, Amount) and isinstance(quantity, int):
            price = price_of(price, quantity)
        if isinstance(price, Amount) and price.currency and code and price.currency != code:
            price = Fault(f"an amount in {code}, the currency of the row; this is {price.currency}", is_number=True)
        if self._is_one_piece and isinstance(quantity, int) and isinstance(price, Amount) and price.units < 0:
            # What is taken back, of a file that tells no pieces.
            quantity, price = -quantity, Amount(price.text.removeprefix("-"), -price.units, price.currency)
        if isinstance(quantity, Fault):
            line["quantity"] = as_it_stands(quantity_text, quantity)
            purchase.is_plain = False
            self._problem(row.first, self._column("quantity"), quantity_text, quantity.expected)
        else:
            line["quantity"] = quantity
        if isinstance(price, Fault):
            line["unit_price"] = as_it_stands(sum_text or price_text, price)
            purchase.is_plain = False
            self._problem(row.first, self._column(column), sum_text or price_text, price.expected)
            return
        line["unit_price"] = price.text
        if not isinstance(quantity, Fault):
            purchase.units += quantity * price.units

    def _add_time(self, purchase: _Open, row: Row, text: str) -> None:
        at = moment(text, self._formats, self._zone)
        if at is None:
            purchase.unread_time = text
            self._problem(row.first, self._column("purchased_at"), text, expected(self._formats))
            return
        if purchase.at is not None and at != purchase.at and not purchase.has_two_times:
            purchase.has_two_times = True
            self._two_times[f"line {row.first:,}"] += 1
        if purchase.at is None or at < purchase.at:
            # The till that wrote the UCI file went on to the next minute within 43 of its invoices.
            purchase.at = at

    def _tell_of_times(self) -> None:
        if self._two_times:
            shown = ", ".join([*self._two_times][:3])
            more = ", …" if len(self._two_times) > 3 else ""
            self._say(
                f"{self._name}: the rows of {len(self._two_times):,} purchases name different times ({shown}{more}); "
                "the earliest counts."
            )

    def _note(self, known: dict[str, None], value: str, row: Row, name: PurchaseField) -> None:
        if not value:
            return
        if known and value not in known:
            self._problem(row.first, self._column(name), value, f"{next(iter(known))!r}, as the purchase began with")
        known[value] = None

    def _text(self, row: Row) -> str:
        return (self._reading.layout.delimiter or ",").join(row.cells)

    def _column(self, name: PurchaseField) -> str:
        return " + ".join(self._mapping.names_of(name)) or name

    def _problem(self, line: int, column: str, values: str, wanted: str) -> None:
        self.problems += 1
        if self.problems <= SHOWN_PROBLEMS:
            self._say(Problem(line, column, values, wanted).sentence(self._name))
        elif self.problems == SHOWN_PROBLEMS + 1:
            self._say("Further rows with faults are counted, not shown.")

    def _message(self, purchase: _Open, purchase_id: str | list[str], salt: int = 0) -> Message:
        time = instant(purchase.at) if purchase.at else None
        body: dict[str, Any] = {
            "purchase_id": purchase_id,
            "purchased_at": time or unreadable_moment(purchase.torn_row, self._formats),
            "seller_id": purchase.seller_id,
            "currency_code": _only(purchase.currencies, "currencies"),
            "lines": purchase.lines,
        }
        if purchase.unread_time is not None:
            body["purchased_at"] = unreadable_moment(purchase.unread_time, self._formats)
        if customer := _only(purchase.customers, "customers"):
            body["customer_id"] = customer
        content = CONTENT.of(body | {"lines": []} if purchase.is_plain else body)
        if purchase.is_plain:
            content["lines"] = list(map(_line_content, purchase.lines))
        event_id = content_id(EVENT.event_type, written(content), place=salt)
        source = self.source
        body["source"] = f"{source}:{purchase.first}-{purchase.last}"
        return Message(
            event_id,
            event_id.encode(),
            orjson.dumps(body),
            cloud_event(event_id, "purchase", source, time),
            amount=Decimal(f"{purchase.units}E-4"),
            lines=len(purchase.lines),
        )


def _line_content(line: dict[str, Any]) -> dict[str, Any]:
    """What the contract counts as content of a line whose numbers are read: they are written in its form already."""
    product_id, description = line["product_id"], line.get("description", "")
    if type(product_id) is not str:
        return CONTENT.of({"lines": [line]})["lines"][0]  # type: ignore[no-any-return]
    record: dict[str, Any] = {}
    if description and (description := _normal(description)):
        record["description"] = description
    if product_id and (product_id := _normal(product_id)):
        record["product_id"] = product_id
    record["quantity"], record["unit_price"] = line["quantity"], line["unit_price"]
    return record


def _normal(text: str) -> str:
    """As `schemas.derive.validation` reads a text."""
    text = text.strip()
    return text if text.isascii() else normalize("NFC", text).strip()


def _only(values: dict[str, None], what: str) -> str | list[str]:
    """The one value, or none. Several make a list: of the wrong type and, where it is taken for text, too long."""
    if len(values) <= 1:
        return next(iter(values), "")
    return [*values, f"the rows of this one purchase name {len(values)} different {what}; it can have only one"]
