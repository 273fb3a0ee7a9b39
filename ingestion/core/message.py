"""One record on its way to Kafka, with what its sender knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from schemas.common.cloudevents import Headers, cloud_event, instant

__all__ = ["Headers", "Kind", "Message", "cloud_event", "instant"]

Kind = Literal["ok", "duplicate", "poison"]


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
