"""Purchases on their way in: judged by the contract, acknowledged by Kafka, and only then answered for."""

from __future__ import annotations

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b, sha256
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
PROOF_BYTES = 12
"""As many as nobody can guess."""
MOST_REMEMBERED = 100_000
SELLERS = "SELECT seller_id FROM shop.sellers"
FIND_SELLERS = f"{SELLERS} WHERE seller_id = ANY(%s)"
# Any fixed UUID: ids made here collide with nobody else's.
NAMESPACE = UUID("6b0b3c0e-6a4e-5e0c-9a5d-7d1f5a0c2e11")
ABOVE_ZERO = ("above_zero", "above zero; what comes back is sent to POST /v1/returns")


class Claiming(Protocol):
    """As much of `Claims` as is needed."""

    async def claim(self, owner: str, text: str, content: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """A purchase that Kafka has."""

    event_id: str
    purchase_id: str
    sold_on: str
    proof: str

    def told(self) -> dict[str, str]:
        """With the day the purchase is found without looking through all others, with the proof before it is there."""
        return {
            "event_id": self.event_id,
            "purchase_id": self.purchase_id,
            "status_url": f"/v1/purchases/{self.event_id}?sold_on={self.sold_on}&proof={self.proof}",
        }


class Judged:
    """Purchases of one request that keep every rule, ready to be sent."""

    def __init__(self, key_id: str, idempotency_key: str, place: str, prove: Callable[[str], str]) -> None:
        self.key_id, self.idempotency_key, self.place, self._prove = key_id, idempotency_key, place, prove
        self.records: list[Record] = []
        self.told: list[Accepted] = []
        self.sellers: list[str] = []
        self.digest = sha256()
        """Of all contents: what an Idempotency-Key is held to."""

    def add(self, body: bytes, value: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        if self.idempotency_key:
            self.digest.update(b"\n" + content if self.records else content)
        event_id = str(uuid5(NAMESPACE, f"{self.key_id}\n{self.idempotency_key}\n{content.decode()}"))
        headers = cloud_event(event_id, EVENT.event_type, f"api:{self.key_id}", value["purchased_at"])
        self.records.append(Record(event_id.encode(), body, headers))
        day = row["purchased_at"].astimezone(UTC).date().isoformat()
        self.told.append(Accepted(event_id, row["purchase_id"], day, self._prove(event_id)))
        self.sellers.append(row["seller_id"])


def _wrong_way(row: Mapping[str, Any], is_return: bool) -> Iterator[Finding]:
    """Lines that go back in a purchase, or out in a return.

    The event holds both, as files do; here a client says which one he means, so that a slip of sign is no return.
    """
    for place, line in enumerate(row["lines"]):
        if (line["quantity"] < 0) is not is_return:
            rule, said = ("below_zero", "below zero in a return") if is_return else ABOVE_ZERO
            sentence = f'line {place + 1}: quantity must be {said}; found "{line["quantity"]}"'
            yield Finding(("lines", place, "quantity"), f"lines.quantity.{rule}", sentence)


class Purchases:
    """Takes purchases. ClickHouse shows them a second or two later; until then a proof says that one was accepted.

    It is in the address that the client was given, so it holds in every process and after a restart. For who asks by
    the id alone this process remembers what it accepted lately.
    """

    def __init__(
        self, topics: Topics, sellers: Mirror[bool], claims: Claiming, measures: Measures, secret: str
    ) -> None:  # fmt: skip
        self._secret = secret.encode()
        self._topics, self._sellers, self._claims, self._measures = topics, sellers, claims, measures
        self._reader = Reader(EVENT)
        self._lately: OrderedDict[str, None] = OrderedDict()

    def has_taken(self, event_id: str, proof: str = "") -> bool:
        """Whether it was accepted: here lately, or anywhere where the proof is good."""
        return event_id in self._lately or hmac.compare_digest(self._prove(event_id).encode(), proof.encode())

    def _prove(self, event_id: str) -> str:
        return blake2b(event_id.encode(), key=self._secret, digest_size=PROOF_BYTES).hexdigest()

    async def judge(
        self, key_id: str, idempotency_key: str, purchases: Iterable[tuple[bytes, Any]], place: str = "", *,
        are_returns: bool = False,
    ) -> Judged:  # fmt: skip
        """Judge purchases: as they were written, which is how they are sent, and the same as values.

        `place` is where they stand in the request's body, as a pointer. Raises a Problem (422) with what is wrong in
        any of them. Of each no more is kept than is sent and told: the values of a batch would take much memory.
        """
        now = datetime.now(UTC)
        made = Judged(key_id, idempotency_key, place, self._prove)
        errors: list[dict[str, Any]] = []
        size = 0
        for number, (body, value) in enumerate(purchases):
            row, findings = self._reader.read(value, now)
            if not findings:
                findings = list(_wrong_way(row, are_returns))
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
