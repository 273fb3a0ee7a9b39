"""What an event says, whatever its spelling: the content by which it is known where its producer gives it no id.

Numbers by value, instants in UTC to the microsecond, texts trimmed and in Unicode's normal form C; what is null, and an
optional text that is empty, is left out; what the contract does not read, and where the producer took the event from,
is no content. The order of a list's elements is: silver numbers them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from schemas.common.cloudevents import instant
from schemas.contract import Column, Contract
from schemas.derive.validation import typed


def amount(value: Decimal) -> str:
    """The shortest plain text of an amount: 950, 2.55, 0.0001."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _instant(value: datetime) -> str:
    return instant(value if value.tzinfo else value.replace(tzinfo=UTC))


def _same(value: Any) -> Any:
    return value


_WRITTEN: dict[str, Callable[[Any], Any]] = {"MONEY": amount, "INSTANT": _instant, "DAY": date.isoformat}


class Content:
    """What one contract counts as content; made once, then asked for every event."""

    def __init__(self, contract: Contract) -> None:
        self._fields: list[tuple[str, Column, Callable[[Any], Any], Content | None]] = [
            (c.name, c, _WRITTEN.get(c.type.name, _same), Content(c.items) if c.items is not None else None)
            for c in sorted(contract.columns)
            if c.content
        ]

    def of_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The content of a row in its types, as `schemas.derive.validation.Reader` gives it, or as silver holds it."""
        content: dict[str, Any] = {}
        for name, _, write, items in self._fields:
            value = row.get(name)
            if value is None or value == "":
                continue
            content[name] = write(value) if items is None else [items.of_row(each) for each in value]
        return content

    def of(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The content of values as JSON has them; what cannot be read is content as it stands, and will be refused.

        Numbers come as int or `Literal`.
        """
        content: dict[str, Any] = {}
        for name, column, write, items in self._fields:
            value = given.get(name)
            if value is None:
                continue
            if items is not None and isinstance(value, list):
                content[name] = [items.of(each) if isinstance(each, Mapping) else [each] for each in value]
                continue
            read = typed(column.type, value) if items is None else None
            if read != "":
                # In a list of its own: what could not be read is never the same as something that could.
                content[name] = [value] if read is None else write(read)
        return content


def written(content: Mapping[str, Any]) -> bytes:
    """The content as JSON, to the byte what orjson writes."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def content_id(event_type: str, content: bytes, *, replaces: str = "", place: int = 0) -> str:
    """The id of an event of that content, as it is `written`: a UUID of version 8 (RFC 9562).

    `replaces` is the id of the event that it takes the place of: what returns to an earlier content is another event
    than the first. `place` tells apart what has no number of its own.
    """
    about = f"{event_type}\n{replaces}\n{place or ''}\n"
    digest = sha256(about.encode() + content).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
