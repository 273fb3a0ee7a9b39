"""The content of an event: the same for whatever spelling, other for whatever else is read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest

from api.http.bodies import parse
from schemas.contract import contract
from schemas.derive.content_id import Content, amount, content_id, written
from schemas.derive.validation import Reader
from schemas.purchases.events import PurchaseEvent

EVENT = contract(PurchaseEvent)
CONTENT = Content(EVENT)
GOOD = (
    b'{"source":"x","purchase_id":" 17","purchased_at":"2026-01-31T14:30:00.500+05:00","seller_id":"s","other":1,'
    b'"currency_code":"KZT","customer_id":null,"lines":[{"product_id":"p","description":" ","quantity":2.0,'
    b'"unit_price":2.550},{"product_id":"p\\u0301","quantity":-1,"unit_price":"3.0"}]}'
)
EXPECTED_ID = {
    "currency_code": "KZT", "purchase_id": "17", "purchased_at": "2026-01-31T09:30:00.500000Z", "seller_id": "s",
    "lines": [{"product_id": "p", "quantity": 2, "unit_price": "2.55"},
              {"product_id": "ṕ", "quantity": -1, "unit_price": "3"}],
}  # fmt: skip


def test_content_is_what_is_read() -> None:
    value = parse(GOOD)
    assert CONTENT.of(value) == EXPECTED_ID
    del value["other"]
    row, findings = Reader(EVENT).read(value, datetime(2026, 2, 1, tzinfo=UTC))
    assert findings == []
    assert CONTENT.of_row(row) == EXPECTED_ID


def test_it_is_written_as_orjson_does() -> None:
    """Some have orjson at hand, and the others need the same ids."""
    odd = {"a": 'ы"\\/\x7f\x1f\n\u2028😀', "b": [1, -5, None, True, {"c": ""}], "d": 1 << 62}

    assert written(odd) == orjson.dumps(odd)


def test_what_cannot_be_read_is_content_as_it_stands() -> None:
    lines = [{"quantity": "two"}, 5]
    actual = CONTENT.of({"purchase_id": "", "lines": lines, "seller_id": ["a", "b"], "purchased_at": 5})

    assert actual == {"lines": [{"quantity": ["two"]}, [5]], "purchased_at": [5], "seller_id": [["a", "b"]]}


def test_ids() -> None:
    first = content_id("purchase", b"{}")

    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first)
    assert content_id("purchase", b"{}") == first == "357cd1fc-e4a2-8aa5-b9d3-7b2518678685"
    others = [content_id("other", b"{}"), content_id("purchase", b"[]"), content_id("purchase", b"{}", replaces=first),
              content_id("purchase", b"{}", place=1)]  # fmt: skip
    assert len({first, *others}) == 5


@pytest.mark.parametrize(("value", "expected"), [
    ("950.00", "950"), ("9.5E+2", "950"), ("-0.0", "0"), ("0.0001", "0.0001"), ("-1.50", "-1.5"), ("1E-4", "0.0001"),
    ("100", "100"),
])  # fmt: skip
def test_amounts_are_shown_in_their_shortest_form(value: str, expected: str) -> None:
    assert amount(Decimal(value)) == expected
