"""Purchases on their way in: judged by the contract, acknowledged by Kafka, and only then answered for.

What is sent is the content that was read, and its id is made of it: whoever sends a purchase again, in whatever
spelling and with whatever key, sends the same event. A seller's number names one purchase (`api.purchases.versions`):
other content under it is refused, unless it is sent to replace.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from typing import Any

import orjson

from api.backends.protocols import EventProducer, IdempotencyStore, Record
from api.backends.table_cache import TableCache
from api.http.metrics import Metrics
from api.http.problems import Problem, invalid
from api.purchases.versions import PurchaseNumber, Version, Versions, digest_of
from schemas.common.cloudevents import cloud_event
from schemas.contract import contract
from schemas.derive.content_id import Content, content_id
from schemas.derive.validation import MOST_FINDINGS, Finding, Reader
from schemas.purchases.events import PurchaseEvent

EVENT = contract(PurchaseEvent)
BREATH_BYTES = 20_000
"""After so much of one request others get a turn."""
PROOF_BYTES = 12
"""As many as nobody can guess."""
MAX_REMEMBERED = 100_000
SOURCE = "source"
ABOVE_ZERO = ("above_zero", "above zero; what comes back is sent to POST /v1/returns")


@dataclass(frozen=True, slots=True)
class AcceptedPurchase:
    """A purchase that Kafka has. `is_new` is false where nothing was sent, for the same content was there already."""

    event_id: str
    purchase_id: str
    sold_on: str
    proof: str
    is_new: bool = True

    def described(self) -> dict[str, str]:
        """With the day the purchase is found without looking through all others, with the proof before it is there."""
        return {
            "event_id": self.event_id,
            "purchase_id": self.purchase_id,
            "status_url": f"/v1/purchases/{self.event_id}?sold_on={self.sold_on}&proof={self.proof}",
        }


@dataclass(frozen=True, slots=True)
class ValidPurchase:
    """A purchase or return that keeps every rule, with the event that would be sent of it."""

    number: PurchaseNumber
    digest: bytes
    sold_on: str
    purchased_at: str
    event_id: str
    body: bytes


class ValidatedPurchases:
    """Purchases of one request that keep every rule, ready to be sent."""

    def __init__(self, key_id: str, idempotency_key: str, place: str, *, are_returns: bool) -> None:
        self.key_id, self.idempotency_key, self.place = key_id, idempotency_key, place
        self._are_returns = are_returns
        self.documents: list[ValidPurchase] = []
        self.digest = sha256()
        """Of all contents: what an Idempotency-Key is held to."""
        self.content = b""
        """Of the last one."""

    def add(self, content: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
        """Add one; False where it has become too large to be sent."""
        self.content = orjson.dumps(content)
        source = row[SOURCE]
        body = orjson.dumps({**content, SOURCE: source}) if source else self.content
        if len(body) > EVENT.max_bytes:
            return False
        self.digest.update(b"\n" + self.content if self.documents else self.content)
        self.documents.append(
            ValidPurchase(
                PurchaseNumber(row["seller_id"], row["purchase_id"], self._are_returns), digest_of(self.content),
                row["purchased_at"].date().isoformat(), content["purchased_at"],
                content_id(EVENT.event_type, self.content), body,
            )
        )  # fmt: skip
        return True

    def at(self, number: int) -> str:
        """The pointer to one of them."""
        return f"{self.place}/{number}" if self.place else ""


def _wrong_way(row: Mapping[str, Any], is_return: bool) -> Iterator[Finding]:
    """Lines that go back in a purchase, or out in a return.

    The event holds both, as files do; here a client says which one he means, so that a slip of sign is no return.
    """
    for place, line in enumerate(row["lines"]):
        if (line["quantity"] < 0) is not is_return:
            rule, rule_text = ("below_zero", "below zero in a return") if is_return else ABOVE_ZERO
            sentence = f'line {place + 1}: quantity must be {rule_text}; found "{line["quantity"]}"'
            yield Finding(("lines", place, "quantity"), f"lines.quantity.{rule}", sentence)


def _oversized(size: int) -> Finding:
    return Finding((), "record.oversized", f"the event has {size} bytes; at most {EVENT.max_bytes} are taken")


class Purchases:
    """Takes purchases. ClickHouse shows them a second or two later; until then a proof says that one was accepted.

    It is in the address that the client was given, so it holds in every process and after a restart. For who asks by
    the id alone this process remembers what it accepted lately.
    """

    def __init__(
        self, producer: EventProducer, sellers: TableCache[bool], claims: IdempotencyStore, versions: Versions,
        metrics: Metrics, secret: str,
    ) -> None:  # fmt: skip
        self._secret = secret.encode()
        self._producer, self._sellers, self._claims = producer, sellers, claims
        self._accepted = metrics.counter("purchases_accepted", "Purchases that Kafka acknowledged.")
        self._broken_rules = metrics.counter("rules_broken", "Rules that purchases broke, each refused.", ["rule"])
        self._versions = versions
        self._reader, self._content = Reader(EVENT), Content(EVENT)
        self._lately: OrderedDict[str, None] = OrderedDict()

    def has_taken(self, event_id: str, proof: str = "") -> bool:
        """Whether it was accepted: here lately, or anywhere where the proof is good."""
        return event_id in self._lately or hmac.compare_digest(self._prove(event_id).encode(), proof.encode())

    def _prove(self, event_id: str) -> str:
        return blake2b(event_id.encode(), key=self._secret, digest_size=PROOF_BYTES).hexdigest()

    async def validate(
        self, key_id: str, idempotency_key: str, purchases: Iterable[tuple[bytes, Any]], place: str = "", *,
        are_returns: bool = False,
    ) -> ValidatedPurchases:  # fmt: skip
        """Judge purchases: as they were written, and the same as values.

        `place` is where they stand in the request's body, as a pointer. Raises a Problem (422) with what is wrong in
        any of them. Of each no more is kept than is sent and told: the values of a batch would take much memory.
        """
        now = datetime.now(UTC)
        validated = ValidatedPurchases(key_id, idempotency_key, place, are_returns=are_returns)
        errors: list[dict[str, Any]] = []
        size = 0
        for number, (body, value) in enumerate(purchases):
            row, findings = self._reader.read(value, now)
            if not findings:
                findings = list(_wrong_way(row, are_returns))
            if len(body) > EVENT.max_bytes:
                findings.append(_oversized(len(body)))
            if not findings and not errors and not validated.add(self._content.of_row(row), row):
                # Amounts are sent as texts, and a text in normal form C can be longer.
                findings.append(_oversized(EVENT.max_bytes + 1))
            if findings:
                errors += [
                    self._error(validated.at(number), finding) for finding in findings[: MOST_FINDINGS - len(errors)]
                ]
            size += len(body)
            if size > BREATH_BYTES:
                size = 0
                await asyncio.sleep(0)
        if errors:
            raise invalid(errors)
        return validated

    async def accept(self, validated: ValidatedPurchases, *, replacing: bool = False) -> list[AcceptedPurchase]:
        """Send all that is new, and come back when Kafka has it all. Raises a Problem, and then nothing counts.

        Other content under a number that is taken is a Problem (409), unless it is `replacing` what holds there.
        """
        errors = await self._strangers(validated)
        if errors:
            raise invalid(errors)
        if validated.idempotency_key:
            await self._claims.claim(validated.key_id, validated.idempotency_key, validated.digest.digest())
        digests = _one_content_each(validated)
        with self._versions.sending(digests):
            holding = await self._holding(validated, replacing=replacing)
            if replacing:
                _put_in_place(validated, holding)
            else:
                _refuse_others(validated, holding)
            new = {
                each.event_id: each
                for each in validated.documents
                if each.number not in holding or (replacing and holding[each.number].digest != each.digest)
            }
            await self._send(validated.key_id, list(new.values()), holding)
        return [self._answer(each, holding, is_new=each.event_id in new) for each in validated.documents]

    async def _holding(self, validated: ValidatedPurchases, *, replacing: bool) -> dict[PurchaseNumber, Version]:
        """What holds of the purchases' numbers.

        Where ClickHouse is away, purchases are taken, and what turns out to be other content counts as a correction:
        a till must not stand still for it. What is to be replaced must be known.
        """
        held: dict[PurchaseNumber, Version] = {}
        for each in validated.documents:
            lately = self._versions.lately(each.number)
            if lately is not None and lately.digest == each.digest and not replacing:
                held[each.number] = lately
        others = [each.number for each in validated.documents if each.number not in held]
        try:
            return held | await self._versions.holding(others, every=replacing)
        except Problem:
            if replacing:
                raise
            return held | {n: lately for n in others if (lately := self._versions.lately(n)) is not None}

    async def _send(
        self, key_id: str, documents: list[ValidPurchase], holding: Mapping[PurchaseNumber, Version]
    ) -> None:
        if not documents:
            return
        source = f"api:{key_id}"
        records = [
            Record(
                each.number.text.encode(), each.body,
                cloud_event(each.event_id, EVENT.event_type, source, each.purchased_at),
            )
            for each in documents
        ]  # fmt: skip
        await self._producer.send(EVENT.topic, records)
        self._accepted.inc(len(records))
        self._lately.update((each.event_id, None) for each in documents)
        while len(self._lately) > MAX_REMEMBERED:
            self._lately.popitem(last=False)
        for each in documents:
            before = holding.get(each.number)
            earlier = (before.event_id, *before.earlier) if before else ()
            self._versions.accepted(each.number, Version(each.event_id, each.digest, each.sold_on, earlier))

    def _answer(
        self, document: ValidPurchase, holding: Mapping[PurchaseNumber, Version], *, is_new: bool
    ) -> AcceptedPurchase:
        event_id, day = document.event_id, document.sold_on
        held = holding.get(document.number)
        if not is_new and held is not None and held.digest == document.digest:
            event_id, day = held.event_id, held.sold_on
        return AcceptedPurchase(event_id, document.number.purchase_id, day, self._prove(event_id), is_new)

    async def _strangers(self, validated: ValidatedPurchases) -> list[dict[str, Any]]:
        sellers = [each.number.seller_id for each in validated.documents]
        unknown = await self._sellers.lacking(set(sellers))
        if not unknown:
            return []
        unknown_sellers = [(number, seller_id) for number, seller_id in enumerate(sellers) if seller_id in unknown]
        return [
            self._error(
                validated.at(number),
                Finding(("seller_id",), "seller_id.known", f'seller_id names no seller; found "{seller_id}"'),
            )
            for number, seller_id in unknown_sellers[:MOST_FINDINGS]
        ]

    def _error(self, at: str, finding: Finding) -> dict[str, Any]:
        self._broken_rules.labels(finding.rule).inc()
        return {"pointer": at + finding.pointer, "rule": finding.rule, "detail": finding.sentence}


def _one_content_each(validated: ValidatedPurchases) -> dict[PurchaseNumber, bytes]:
    """The digest of each number's content. Raises a Problem (409) where one request gives a number two."""
    digests: dict[PurchaseNumber, bytes] = {}
    errors = []
    for place, each in enumerate(validated.documents):
        if digests.setdefault(each.number, each.digest) != each.digest:
            errors.append(
                _taken(validated.at(place), f"the {each.number} is in this request twice, with unlike content")
            )
    if errors:
        raise _conflict(errors)
    return digests


def _refuse_others(validated: ValidatedPurchases, holding: Mapping[PurchaseNumber, Version]) -> None:
    """Raises a Problem (409) where a number is taken by other content; an earlier version sent again is no other."""
    errors = []
    for place, each in enumerate(validated.documents):
        held = holding.get(each.number)
        if held is not None and held.digest != each.digest and each.event_id not in held.earlier:
            errors.append(
                _taken(
                    validated.at(place),
                    f"the {each.number} is there with other content (event {held.event_id}); a number names one "
                    f"purchase, and a correction is sent by PUT to {each.number.path}",
                )
            )
    if errors:
        raise _conflict(errors)


def _taken(at: str, sentence: str) -> dict[str, str]:
    return {"pointer": f"{at}/purchase_id", "rule": "purchase_id.taken", "detail": sentence}


def _conflict(errors: list[dict[str, str]]) -> Problem:
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem(409, "taken", f"{errors[0]['detail']}{more}.", errors=errors[:MOST_FINDINGS])


def _put_in_place(validated: ValidatedPurchases, holding: Mapping[PurchaseNumber, Version]) -> None:
    """What replaces a version is an event of its own, also where it returns to what held before."""
    (document,) = validated.documents
    held = holding.get(document.number)
    if held is not None and held.digest != document.digest:
        event_id = content_id(EVENT.event_type, validated.content, replaces=held.event_id)
        validated.documents = [replace(document, event_id=event_id)]
