"""A batch of purchases, read one after another: an error early in a body is found without reading the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from api.http import bodies
from api.http.problems import Problem, invalid
from schemas.contract import contract
from schemas.purchases.events import PurchaseEvent

MAX_PURCHASES = 1_000
MAX_BYTES = contract(PurchaseEvent).max_bytes
_BEGIN = re.compile(r'[ \t\n\r]*\{[ \t\n\r]*"purchases"[ \t\n\r]*:[ \t\n\r]*\[')
_END = re.compile(r"[ \t\n\r]*\][ \t\n\r]*\}[ \t\n\r]*")
_FIELD = re.compile(r'[ \t\n\r]*\][ \t\n\r]*,[ \t\n\r]*(?=")')
_BRACKET = re.compile(r"[ \t\n\r]*\]?[ \t\n\r]*")


def read(body: bytes) -> Iterator[tuple[bytes, Any]]:
    """The purchases as they were written, and as values. Raises a Problem where the body is not a batch."""
    text = bodies.decoded(body)
    begun = _BEGIN.match(text)
    if begun is None:
        raise _other(body)
    end, count = begun.end(), 0
    try:
        for raw, value, behind in bodies.elements(text, end, MAX_BYTES):
            end, count = behind, count + 1
            if count > MAX_PURCHASES:
                raise _count("more")
            yield raw.encode(), value
    except bodies.Oversized:
        sentence = f"the event has more than {MAX_BYTES} bytes; at most {MAX_BYTES} are taken"
        raise refused(f"/purchases/{count}", "record.oversized", sentence) from None
    _close(text, end)
    if not count:
        raise _count("0")


def _close(text: str, at: int) -> None:
    """Nothing may follow the list but the end. Raises a Problem."""
    closed = _END.match(text, at)
    if closed:
        if closed.end() < len(text):
            raise bodies.not_json("Extra data", closed.end())
        return
    more = _FIELD.match(text, at)
    if more is None:
        at = _BRACKET.match(text, at).end()  # type: ignore[union-attr]
        raise bodies.not_json("Expecting ',' delimiter", at)
    try:
        name = json.JSONDecoder().raw_decode(text, more.end())[0]
    except json.JSONDecodeError as error:
        raise bodies.not_json(error.msg, error.pos) from None
    raise _unknown(name) if name != "purchases" else bodies.duplicate_field(name)


def _other(body: bytes) -> Problem:
    """What is wrong with a body that does not begin like a batch; a large one is not read for this."""
    value = bodies.parse(body) if len(body) <= bodies.LARGE else None
    if isinstance(value, dict) and isinstance(value.get("purchases"), list):
        for name in value:
            if name != "purchases":
                return _unknown(name)
    return refused("", "record.json", "the body must be an object with the list purchases")


def _unknown(name: str) -> Problem:
    return refused(f"/{name[:80]}", "unknown", f"{name[:80]} is not a field here; there is purchases")


def _count(actual: str) -> Problem:
    sentence = f"purchases must have 1 to {MAX_PURCHASES:,} elements; found {actual}"
    return refused("/purchases", "purchases.count", sentence)


def refused(pointer: str, rule: str, sentence: str) -> Problem:
    return invalid([{"pointer": pointer, "rule": rule, "detail": sentence}])
