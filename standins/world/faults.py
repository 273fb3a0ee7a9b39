"""Faults of producers, played by the simulator: second copies of an event, and poison of every kind we know.

Each poison breaks one rule and carries the name under which the stream must refuse it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle
from random import Random
from typing import Any

import orjson

from ingestion.core.message import Message, instant

Purchase = dict[str, Any]
OVERSIZED_BYTES = 5_000_000
FARTHEST_COPY = 200
"""A second copy follows its event after at most so many others."""


@dataclass(frozen=True)
class Faults:
    """`duplicates` and `poison` are shares of the events, `oversized` is a number of them (5 MB each).

    `now` is what "two days ahead" is counted from: the instant at which the events are sent.
    """

    now: datetime
    duplicates: float = 0.0
    poison: float = 0.0
    oversized: int = 0


@dataclass(frozen=True)
class Poison:
    """`make` turns a good purchase into a bad record; it is handed the instant of sending. None is a tombstone."""

    name: str
    rule: str
    make: Callable[[Purchase, datetime], bytes | None]


def _with(**changed: Any) -> Callable[[Purchase, datetime], bytes]:
    return lambda purchase, _: orjson.dumps(purchase | changed)


def _without(field: str) -> Callable[[Purchase, datetime], bytes]:
    return lambda purchase, _: orjson.dumps({k: v for k, v in purchase.items() if k != field})


def _line(**changed: Any) -> Callable[[Purchase, datetime], bytes]:
    """The last line is changed, so that good lines stand before the bad one."""
    return lambda purchase, _: orjson.dumps(_last_line(purchase, lambda line: line | changed))


def _line_without(field: str) -> Callable[[Purchase, datetime], bytes]:
    return lambda purchase, _: orjson.dumps(
        _last_line(purchase, lambda line: {k: v for k, v in line.items() if k != field})
    )


def _last_line(purchase: Purchase, change: Callable[[Purchase], Purchase]) -> Purchase:
    return purchase | {"lines": [*purchase["lines"][:-1], change(purchase["lines"][-1])]}


def _bare(text: bytes, **where: str) -> Callable[[Purchase, datetime], bytes]:
    """`text` is put where no JSON writer would put it: in place of the string "@"."""
    return lambda purchase, now: _line(**where)(purchase, now).replace(b'"@"', text)


def _shifted(days: int) -> Callable[[Purchase, datetime], bytes]:
    return lambda purchase, now: orjson.dumps(purchase | {"purchased_at": instant(now + timedelta(days=days))})


POISONS = (
    Poison("tombstone", "record.tombstone", lambda _p, _now: None),
    Poison("not JSON", "record.json", lambda _p, _now: b"{purchase_id: 17, this is not JSON"),
    Poison("cut off", "record.json", lambda p, _now: orjson.dumps(p)[:-20]),
    Poison("empty value", "record.json", lambda _p, _now: b""),
    Poison("JSON, but no object", "record.json", lambda _p, _now: b'"a purchase"'),
    Poison(
        "bad UTF-8", "record.utf8", lambda p, _now: orjson.dumps(p | {"source": "@"}).replace(b"@", b"caf\xe9 \xff")
    ),
    Poison("empty object", "purchase_id.required", lambda _p, _now: b"{}"),
    Poison("no purchase id", "purchase_id.required", _without("purchase_id")),
    Poison("empty purchase id", "purchase_id.not_empty", _with(purchase_id="")),
    Poison("blank purchase id", "purchase_id.not_empty", _with(purchase_id="  ")),
    Poison("no time", "purchased_at.required", _with(purchased_at=None)),
    Poison("time in words", "purchased_at.type", _with(purchased_at="yesterday")),
    Poison("before 2000", "purchased_at.since", _with(purchased_at="1999-12-31T23:59:59Z")),
    Poison("two days ahead", "purchased_at.not_ahead_of", _shifted(2)),
    Poison("empty seller", "seller_id.not_empty", _with(seller_id="")),
    Poison("empty customer", "customer_id.not_empty", _with(customer_id="")),
    Poison("no currency", "currency_code.required", _without("currency_code")),
    Poison("unknown currency", "currency_code.one_of", _with(currency_code="XXX")),
    Poison("lines missing", "lines.required", _without("lines")),
    Poison("no lines", "lines.min_items", _with(lines=[])),
    Poison("empty product id", "lines.product_id.not_empty", _line(product_id="")),
    Poison("no quantity", "lines.quantity.required", _line_without("quantity")),
    Poison("quantity in words", "lines.quantity.type", _line(quantity="abc")),
    Poison("half a piece", "lines.quantity.type", _line(quantity=1.5)),
    Poison("quantity NaN", "lines.quantity.type", _bare(b"NaN", quantity="@")),
    Poison("zero quantity", "lines.quantity.not_zero", _line(quantity=0)),
    Poison("quantity beyond all bounds", "lines.quantity.at_most", _line(quantity=200_000_000)),
    Poison("no price", "lines.unit_price.required", _line(unit_price=None)),
    Poison("price in words", "lines.unit_price.type", _line(unit_price="cheap")),
    Poison("price NaN", "lines.unit_price.type", _bare(b"NaN", unit_price="@")),
    Poison("price NaN as text", "lines.unit_price.type", _line(unit_price="NaN")),
    Poison("free of charge", "lines.price_of_a_sale", _line(quantity=1, unit_price="0")),
    Poison("price below zero", "lines.price_of_a_sale", _line(quantity=1, unit_price="-9.99")),
)
OVERSIZED = Poison("5 MB", "record.oversized", _line(description="x" * OVERSIZED_BYTES))


def poisoned(message: Message, poison: Poison, now: datetime) -> Message:
    """The record that a broken producer sends in place of this good one."""
    value = poison.make(orjson.loads(message.value or b""), now)
    return replace(message, value=value, kind="poison", expected_rule=poison.rule, amount=Decimal(0), lines=0)


def with_faults(messages: Iterator[Message], n: int, faults: Faults, seed: int) -> Iterator[Message]:
    """Of `n` messages some become poison, each kind in its turn; some of the others come once more, later."""
    random = Random(f"{seed}:faults")
    kinds = cycle(random.sample(POISONS, len(POISONS)))
    oversized = set(random.sample(range(n), min(faults.oversized, n)))
    copies: deque[tuple[int, Message]] = deque()
    for number, message in enumerate(messages):
        while copies and copies[0][0] <= number:
            yield copies.popleft()[1]
        if number in oversized:
            yield poisoned(message, OVERSIZED, faults.now)
        elif random.random() < faults.poison:
            yield poisoned(message, next(kinds), faults.now)
        else:
            yield message
            if random.random() < faults.duplicates:
                due = number + 1 + int(random.random() * FARTHEST_COPY)
                # Kept in order of time by never coming before a copy that waits already.
                due = max(due, copies[-1][0]) if copies else due
                copies.append((due, replace(message, kind="duplicate")))
    for _, copy in copies:
        yield copy
