"""One record on its way to Kafka, with what its sender knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

Kind = Literal["ok", "duplicate", "poison"]
Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Message:
    """`value` is None for a tombstone.

    `kind` and `expected_rule` are the sender's claim, which service tests hold against what the stream made of it: a
    "duplicate" is a second copy of an event, "poison" must end in quarantine under `expected_rule`. `amount` is the sum
    of quantity times unit price over the lines that have both, and zero for poison.
    """

    event_id: str
    key: bytes
    value: bytes | None
    headers: Headers
    kind: Kind = "ok"
    expected_rule: str = ""
    amount: Decimal = Decimal(0)
    lines: int = 1


def cloud_event(event_id: str, event_type: str, source: str, time: str | None) -> Headers:
    """The attributes of CloudEvents 1.0 as its Kafka binding writes them. The stream looks at ce_id first."""
    headers = [
        ("ce_id", event_id.encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", source.encode()),
        ("ce_specversion", b"1.0"),
        ("content-type", b"application/json"),
    ]
    if time:
        headers.append(("ce_time", time.encode()))
    return headers


def instant(moment: datetime) -> str:
    """UTC with a Z. The moment must carry its zone."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
