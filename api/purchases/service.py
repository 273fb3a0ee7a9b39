"""Accepts purchases: validated by the contract, acknowledged by Kafka, and only then confirmed to the client.

The event's id is made of its content as it was read: a purchase that is sent again, in any spelling and with any key,
is the same event. A seller's number names one purchase (`api.purchases.versions`): other content under it is refused,
unless it is sent as a replacement.
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
"""After so many bytes of one request others get a turn."""
PROOF_BYTES = 12
"""Too many to guess."""
MAX_REMEMBERED = 100_000
SOURCE = "source"
ABOVE_ZERO = ("above_zero", "above zero; what comes back is sent to POST /v1/returns")


@dataclass(frozen=True, slots=True)
class AcceptedPurchase:
    """A purchase that Kafka has. `is_new` is false when nothing was sent, for the same content was there already."""

    event_id: str
    purchase_id: str
    sold_on: str
    proof: str
    is_new: bool = True

    def described(self) -> dict[str, str]:
        """As it is answered. The day finds the purchase without a full scan, the proof before ClickHouse shows it."""
        return {
            "event_id": self.event_id,
            "purchase_id": self.purchase_id,
            "status_url": f"/v1/purchases/{self.event_id}?sold_on={self.sold_on}&proof={self.proof}",
        }


@dataclass(frozen=True, slots=True)
class ValidPurchase:
    """A purchase or return that breaks no rule, with the event to send."""

    number: PurchaseNumber
    digest: bytes
    sold_on: str
    purchased_at: str
    event_id: str
    body: bytes


class ValidatedPurchases:
    """The valid purchases of one request, ready to be sent."""

    def __init__(self, key_id: str, idempotency_key: str, place: str, *, are_returns: bool) -> None:
        self.key_id, self.idempotency_key, self.place = key_id, idempotency_key, place
        self._are_returns = are_returns
        self.documents: list[ValidPurchase] = []
        self.digest = sha256()
        """Hash of all contents, for the Idempotency-Key."""
        self.content = b""
        """Content of the last one."""

    def add(self, content: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
        """Add one; False when it is too large to be sent."""
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
        """The JSON pointer to one of them."""
        return f"{self.place}/{number}" if self.place else ""


def _wrong_way(row: Mapping[str, Any], is_return: bool) -> Iterator[Finding]:
    """Returned lines in a purchase, or sold lines in a return.

    The event can hold both, as files do; here the path says which is meant, so that a wrong sign is not a return.
    """
    for place, line in enumerate(row["lines"]):
        if (line["quantity"] < 0) is not is_return:
            rule, rule_text = ("below_zero", "below zero in a return") if is_return else ABOVE_ZERO
            sentence = f'line {place + 1}: quantity must be {rule_text}; found "{line["quantity"]}"'
            yield Finding(("lines", place, "quantity"), f"lines.quantity.{rule}", sentence)


def _oversized(size: int) -> Finding:
    return Finding((), "record.oversized", f"the event has {size} bytes; at most {EVENT.max_bytes} are taken")


class Purchases:
    """Accepts purchases. ClickHouse shows them a second or two later; until then a proof says that one was accepted.

    The proof is in the address that the client got, so it is valid in every process and after a restart. For requests
    with the id alone, this process remembers what it accepted recently.
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
        self._recent: OrderedDict[str, None] = OrderedDict()

    def has_taken(self, event_id: str, proof: str = "") -> bool:
        """Whether it was accepted: here recently, or anywhere if the proof is valid."""
        return event_id in self._recent or hmac.compare_digest(self._prove(event_id).encode(), proof.encode())

    def _prove(self, event_id: str) -> str:
        return blake2b(event_id.encode(), key=self._secret, digest_size=PROOF_BYTES).hexdigest()

    async def validate(
        self, key_id: str, idempotency_key: str, purchases: Iterable[tuple[bytes, Any]], place: str = "", *,
        are_returns: bool = False,
    ) -> ValidatedPurchases:  # fmt: skip
        """Validate purchases, given as they were written and as values.

        `place` is the JSON pointer to them in the request's body. Raises a Problem (422) with the errors of all.
        Only what is sent and answered is kept of each, for the values of a batch would take much memory.
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
        """Send all that is new, and return when Kafka has all of it. Raises a Problem; then nothing is accepted.

        Other content under a number that is taken is a Problem (409), unless it is `replacing` what holds there.
        """
        errors = await self._unknown_sellers(validated)
        if errors:
            raise invalid(errors)
        if validated.idempotency_key:
            await self._claims.claim(validated.key_id, validated.idempotency_key, validated.digest.digest())
        digests = _one_content_each(validated)
        with self._versions.sending(digests):
            current = await self._current(validated, replacing=replacing)
            if replacing:
                _put_in_place(validated, current)
            else:
                _refuse_others(validated, current)
            new = {
                each.event_id: each
                for each in validated.documents
                if each.number not in current or (replacing and current[each.number].digest != each.digest)
            }
            await self._send(validated.key_id, list(new.values()), current)
        return [self._answer(each, current, is_new=each.event_id in new) for each in validated.documents]

    async def _current(self, validated: ValidatedPurchases, *, replacing: bool) -> dict[PurchaseNumber, Version]:
        """The current versions of the purchases' numbers.

        While ClickHouse is away, purchases are accepted, and other content under a known number counts as a correction:
        a shop must be able to sell. For a replacement the current version must be known.
        """
        held: dict[PurchaseNumber, Version] = {}
        for each in validated.documents:
            recent = self._versions.recent(each.number)
            if recent is not None and recent.digest == each.digest and not replacing:
                held[each.number] = recent
        others = [each.number for each in validated.documents if each.number not in held]
        try:
            return held | await self._versions.holding(others, every=replacing)
        except Problem:
            if replacing:
                raise
            return held | {n: recent for n in others if (recent := self._versions.recent(n)) is not None}

    async def _send(
        self, key_id: str, documents: list[ValidPurchase], current: Mapping[PurchaseNumber, Version]
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
        self._recent.update((each.event_id, None) for each in documents)
        while len(self._recent) > MAX_REMEMBERED:
            self._recent.popitem(last=False)
        for each in documents:
            before = current.get(each.number)
            earlier = (before.event_id, *before.earlier) if before else ()
            self._versions.accepted(each.number, Version(each.event_id, each.digest, each.sold_on, earlier))

    def _answer(
        self, document: ValidPurchase, current: Mapping[PurchaseNumber, Version], *, is_new: bool
    ) -> AcceptedPurchase:
        event_id, day = document.event_id, document.sold_on
        held = current.get(document.number)
        if not is_new and held is not None and held.digest == document.digest:
            event_id, day = held.event_id, held.sold_on
        return AcceptedPurchase(event_id, document.number.purchase_id, day, self._prove(event_id), is_new)

    async def _unknown_sellers(self, validated: ValidatedPurchases) -> list[dict[str, Any]]:
        sellers = [each.number.seller_id for each in validated.documents]
        unknown = await self._sellers.missing(set(sellers))
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
    """The digest of each number's content. Raises a Problem (409) when one request has two contents for a number."""
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


def _refuse_others(validated: ValidatedPurchases, current: Mapping[PurchaseNumber, Version]) -> None:
    """Raises a Problem (409) when a number has other content; an earlier version that is sent again is accepted."""
    errors = []
    for place, each in enumerate(validated.documents):
        held = current.get(each.number)
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


def _put_in_place(validated: ValidatedPurchases, current: Mapping[PurchaseNumber, Version]) -> None:
    """A replacement is a new event, even when it restores an earlier content."""
    (document,) = validated.documents
    held = current.get(document.number)
    if held is not None and held.digest != document.digest:
        event_id = content_id(EVENT.event_type, validated.content, replaces=held.event_id)
        validated.documents = [replace(document, event_id=event_id)]
