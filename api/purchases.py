"""Purchases on their way in: judged by the contract, acknowledged by Kafka, and only then answered for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID, uuid5

import orjson

from api.measures import Measures
from api.mirror import Mirror
from api.ports import Record, Topics
from api.problems import invalid
from schemas.cloudevents import cloud_event
from schemas.contract import contract
from schemas.derive.reader import MOST_FINDINGS, Finding, Reader
from schemas.purchases.events import PurchaseEvent

EVENT = contract(PurchaseEvent)
MOST_PURCHASES = 1_000
BREATH = 50
"""After so many purchases of one request others get a turn."""
MOST_REMEMBERED = 100_000
SELLERS = "SELECT seller_id FROM shop.sellers"
FIND_SELLERS = f"{SELLERS} WHERE seller_id = ANY(%s)"
# Any fixed UUID: ids made here collide with nobody else's.
NAMESPACE = UUID("6b0b3c0e-6a4e-5e0c-9a5d-7d1f5a0c2e11")


class Claiming(Protocol):
    """As much of `Claims` as is needed."""

    async def claim(self, owner: str, text: str, content: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """A purchase that Kafka has."""

    event_id: str
    purchase_id: str
    sold_on: str

    def told(self) -> dict[str, str]:
        """With the day the purchase is found without looking through all others."""
        return {
            "event_id": self.event_id,
            "purchase_id": self.purchase_id,
            "status_url": f"/v1/purchases/{self.event_id}?sold_on={self.sold_on}",
        }


class Purchases:
    """Takes purchases. What it accepted lately it remembers, since ClickHouse shows it a second or two later."""

    def __init__(self, topics: Topics, sellers: Mirror[bool], claims: Claiming, measures: Measures) -> None:
        self._topics, self._sellers, self._claims, self._measures = topics, sellers, claims, measures
        self._reader = Reader(EVENT)
        self._lately: OrderedDict[str, str] = OrderedDict()

    def has_taken(self, event_id: str) -> bool:
        """Whether it was accepted here lately."""
        return event_id in self._lately

    async def accept(
        self, key_id: str, bodies: Sequence[bytes], values: Sequence[Any], idempotency_key: str, place: str = ""
    ) -> list[Accepted]:
        """Judge all, send all, and come back when Kafka has them all. Raises a Problem, and then nothing counts.

        `bodies` are the purchases as they were written, which is how they are sent; `values` the same, parsed. `place`
        is where they stand in the request's body, as a pointer.
        """
        rows = await self._judged(bodies, values, place)
        contents = [orjson.dumps(value, option=orjson.OPT_SORT_KEYS) for value in values]
        if idempotency_key:
            await self._claims.claim(key_id, idempotency_key, sha256(b"\n".join(contents)).digest())
        ids = [str(uuid5(NAMESPACE, f"{key_id}\n{idempotency_key}\n{content.decode()}")) for content in contents]
        source = f"api:{key_id}"
        records = [
            Record(event_id.encode(), body, cloud_event(event_id, EVENT.event_type, source, value["purchased_at"]))
            for event_id, body, value in zip(ids, bodies, values, strict=True)
        ]
        await self._topics.send(EVENT.topic, records)
        self._measures.purchases.inc(len(records))
        days = [row["purchased_at"].astimezone(UTC).date().isoformat() for row in rows]
        self._lately.update(zip(ids, days, strict=True))
        while len(self._lately) > MOST_REMEMBERED:
            self._lately.popitem(last=False)
        return [Accepted(e, row["purchase_id"], day) for e, row, day in zip(ids, rows, days, strict=True)]

    async def _judged(self, bodies: Sequence[bytes], values: Sequence[Any], place: str) -> list[dict[str, Any]]:
        """The typed rows. Raises a Problem (422) with what is wrong in any of them."""
        now = datetime.now(UTC)
        rows: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for number, (body, value) in enumerate(zip(bodies, values, strict=True)):
            row, findings = self._reader.read(value, now)
            if len(body) > EVENT.max_bytes:
                said = f"the event has {len(body)} bytes; at most {EVENT.max_bytes} are taken"
                findings.append(Finding((), "record.oversized", said))
            rows.append(row)
            at = f"{place}/{number}" if place else ""
            errors += [self._told(at, finding) for finding in findings[: MOST_FINDINGS - len(errors)]]
            if number % BREATH == BREATH - 1:
                await asyncio.sleep(0)
        if not errors:
            errors = await self._strangers(rows, place)
        if errors:
            raise invalid(errors)
        return rows

    async def _strangers(self, rows: Sequence[dict[str, Any]], place: str) -> list[dict[str, Any]]:
        unknown = await self._sellers.lacking({row["seller_id"] for row in rows})
        if not unknown:
            return []
        found = [(number, row["seller_id"]) for number, row in enumerate(rows) if row["seller_id"] in unknown]
        return [
            self._told(
                f"{place}/{number}" if place else "",
                Finding(("seller_id",), "seller_id.known", f'seller_id names no seller; found "{seller_id}"'),
            )
            for number, seller_id in found[:MOST_FINDINGS]
        ]

    def _told(self, at: str, finding: Finding) -> dict[str, Any]:
        self._measures.refused.labels(finding.rule).inc()
        return {"pointer": at + finding.pointer, "rule": finding.rule, "detail": finding.sentence}
