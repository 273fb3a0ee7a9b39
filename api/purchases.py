"""Purchases on their way in: judged by the contract, acknowledged by Kafka, and only then answered for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
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
BREATH_BYTES = 20_000
"""After so much of one request others get a turn."""
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


class Judged:
    """Purchases of one request that keep every rule, ready to be sent."""

    def __init__(self, key_id: str, idempotency_key: str, place: str) -> None:
        self.key_id, self.idempotency_key, self.place = key_id, idempotency_key, place
        self.records: list[Record] = []
        self.told: list[Accepted] = []
        self.sellers: list[str] = []
        self.digest = sha256()
        """Of all contents: what an Idempotency-Key is held to."""

    def add(self, body: bytes, value: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        self.digest.update(b"\n" + content if self.records else content)
        event_id = str(uuid5(NAMESPACE, f"{self.key_id}\n{self.idempotency_key}\n{content.decode()}"))
        headers = cloud_event(event_id, EVENT.event_type, f"api:{self.key_id}", value["purchased_at"])
        self.records.append(Record(event_id.encode(), body, headers))
        day = row["purchased_at"].astimezone(UTC).date().isoformat()
        self.told.append(Accepted(event_id, row["purchase_id"], day))
        self.sellers.append(row["seller_id"])


class Purchases:
    """Takes purchases. What it accepted lately it remembers, since ClickHouse shows it a second or two later."""

    def __init__(self, topics: Topics, sellers: Mirror[bool], claims: Claiming, measures: Measures) -> None:
        self._topics, self._sellers, self._claims, self._measures = topics, sellers, claims, measures
        self._reader = Reader(EVENT)
        self._lately: OrderedDict[str, None] = OrderedDict()

    def has_taken(self, event_id: str) -> bool:
        """Whether it was accepted here lately."""
        return event_id in self._lately

    async def judge(
        self, key_id: str, idempotency_key: str, purchases: Iterable[tuple[bytes, Any]], place: str = ""
    ) -> Judged:
        """Judge purchases: as they were written, which is how they are sent, and the same as values.

        `place` is where they stand in the request's body, as a pointer. Raises a Problem (422) with what is wrong in
        any of them. Of each no more is kept than is sent and told: the values of a batch would take much memory.
        """
        now = datetime.now(UTC)
        made = Judged(key_id, idempotency_key, place)
        errors: list[dict[str, Any]] = []
        size = 0
        for number, (body, value) in enumerate(purchases):
            row, findings = self._reader.read(value, now)
            if len(body) > EVENT.max_bytes:
                said = f"the event has {len(body)} bytes; at most {EVENT.max_bytes} are taken"
                findings.append(Finding((), "record.oversized", said))
            if findings:
                at = f"{place}/{number}" if place else ""
                errors += [self._told(at, finding) for finding in findings[: MOST_FINDINGS - len(errors)]]
            elif not errors:
                made.add(body, value, row)
            size += len(body)
            if size > BREATH_BYTES:
                size = 0
                await asyncio.sleep(0)
        if errors:
            raise invalid(errors)
        return made

    async def accept(self, judged: Judged) -> list[Accepted]:
        """Send all, and come back when Kafka has them all. Raises a Problem, and then nothing counts."""
        errors = await self._strangers(judged)
        if errors:
            raise invalid(errors)
        if judged.idempotency_key:
            await self._claims.claim(judged.key_id, judged.idempotency_key, judged.digest.digest())
        await self._topics.send(EVENT.topic, judged.records)
        self._measures.purchases.inc(len(judged.records))
        self._lately.update((each.event_id, None) for each in judged.told)
        while len(self._lately) > MOST_REMEMBERED:
            self._lately.popitem(last=False)
        return judged.told

    async def _strangers(self, judged: Judged) -> list[dict[str, Any]]:
        unknown = await self._sellers.lacking(set(judged.sellers))
        if not unknown:
            return []
        found = [(number, seller_id) for number, seller_id in enumerate(judged.sellers) if seller_id in unknown]
        return [
            self._told(
                f"{judged.place}/{number}" if judged.place else "",
                Finding(("seller_id",), "seller_id.known", f'seller_id names no seller; found "{seller_id}"'),
            )
            for number, seller_id in found[:MOST_FINDINGS]
        ]

    def _told(self, at: str, finding: Finding) -> dict[str, Any]:
        self._measures.refused.labels(finding.rule).inc()
        return {"pointer": at + finding.pointer, "rule": finding.rule, "detail": finding.sentence}
