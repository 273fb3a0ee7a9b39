"""The current version of a purchase: a seller's number names one purchase, and a later version replaces an earlier one.

This process remembers what it accepted recently. The rest is in ClickHouse; a Bloom filter of the numbers there avoids
the query for nearly every new purchase.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from api.backends.bloom_filter import BloomFilter
from api.backends.protocols import Warehouse
from api.backends.warehouse import arrived_since
from api.http.problems import Problem
from schemas.contract import contract
from schemas.derive.content_id import Content, written
from schemas.purchases.events import PurchaseEvent

LOG = logging.getLogger("sauda.api")
MAX_REMEMBERED = 100_000
NUMBERS_AT_ONCE = 200
TIMEOUT_SECONDS = 2.0
"""After so long a request no longer waits for ClickHouse."""
AWAY_SECONDS = 2.0
FOLLOW_SECONDS, OVERLAP_SECONDS = 5.0, 120
ROOM = 2
"""The filter has room for so many times the known numbers before it is built again."""
LEAST_ROOM = 1_000_000
CONTENT = Content(contract(PurchaseEvent))

COUNT = "SELECT count() AS numbers FROM silver.purchase_lines WHERE line_no = 0"
HASHES = (
    "SELECT MD5(concat(seller_id, '/', purchase_id)) FROM silver.purchase_lines WHERE line_no = 0{since}"
    " SETTINGS max_threads = 1, max_execution_time = 600, log_queries = 0 FORMAT RowBinary"
)
SINCE = f" AND {arrived_since('silver.purchase_lines')}"
KNOWN_VERSIONS = (
    "SELECT event_id, purchase_id, seller_id, customer_id, currency_code, purchased_at, toString(sold_on) AS day,"
    " arrival, line_no, product_id, description, quantity, unit_price_amount AS unit_price"
    " FROM silver.purchase_lines FINAL"
    " WHERE purchase_id IN {numbers:Array(String)} AND seller_id IN {sellers:Array(String)}"
)


@dataclass(frozen=True, slots=True, order=True)
class PurchaseNumber:
    """What names a purchase: its seller, the seller's number of it, and whether it is a return."""

    seller_id: str
    purchase_id: str
    is_return: bool

    @property
    def text(self) -> str:
        """As the filter and Kafka's key have it: all versions of a number keep their order."""
        return f"{self.seller_id}/{self.purchase_id}"

    @property
    def path(self) -> str:
        """Where a correction is sent."""
        return f"/v1/{'returns' if self.is_return else 'purchases'}/{{seller_id}}/{{purchase_id}}"

    def __str__(self) -> str:
        what = "return" if self.is_return else "purchase"
        return f"{what} {self.purchase_id[:80]!r} of seller {self.seller_id[:80]!r}"


@dataclass(frozen=True, slots=True)
class Version:
    """One content of a number; `earlier` are the ids of the versions that it replaced."""

    event_id: str
    digest: bytes
    sold_on: str
    earlier: tuple[str, ...] = ()


def digest_of(content: bytes) -> bytes:
    """The hash by which contents are compared."""
    return blake2b(content, digest_size=16).digest()


class Versions:
    """The current versions. Each process knows its own recent ones, and what ClickHouse shows."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._recent: OrderedDict[PurchaseNumber, Version] = OrderedDict()
        self._under_way: dict[PurchaseNumber, bytes] = {}
        self._filter: BloomFilter | None = None
        self._away_until = 0.0

    def recent(self, number: PurchaseNumber) -> Version | None:
        """What this process accepted last under a number."""
        return self._recent.get(number)

    @contextmanager
    def sending(self, digests: Mapping[PurchaseNumber, bytes]) -> Iterator[None]:
        """Reserve numbers for their contents in this process. Raises a Problem (409) while other content is sent."""
        for number, digest in digests.items():
            if self._under_way.get(number, digest) != digest:
                raise Problem(
                    409, "under-way", f"Another request is sending the {number} with other content now. Try again.",
                    headers={"Retry-After": "1"},
                )  # fmt: skip
        ours = [number for number in digests if number not in self._under_way]
        self._under_way.update({number: digests[number] for number in ours})
        try:
            yield
        finally:
            for number in ours:
                del self._under_way[number]

    def accepted(self, number: PurchaseNumber, version: Version) -> None:
        """Remember what Kafka has just acknowledged."""
        self._recent[number] = version
        self._recent.move_to_end(number)
        if len(self._recent) > MAX_REMEMBERED:
            self._recent.popitem(last=False)
        if self._filter is not None:
            self._filter.add(number.text)

    async def holding(self, numbers: Iterable[PurchaseNumber], *, every: bool = False) -> dict[PurchaseNumber, Version]:
        """The current versions of those numbers that have one. Raises a Problem (503) when ClickHouse is away.

        ClickHouse is queried only for numbers that it may have, or for `every` one.
        """
        known = {number: self._recent.get(number) for number in numbers}
        suspects = [
            number for number, recent in known.items()
            if every or recent is not None or self._filter is None or number.text in self._filter
        ]  # fmt: skip
        shown = await self._shown(suspects) if suspects else {}
        versions: dict[PurchaseNumber, Version] = {}
        for number, recent in known.items():
            there = shown.get(number)
            # A version that ClickHouse does not show yet is newer than all that it shows.
            if recent is not None and (there is None or recent.event_id not in (there.event_id, *there.earlier)):
                versions[number] = recent
            elif there is not None:
                versions[number] = there
        return versions

    async def _shown(self, numbers: Sequence[PurchaseNumber]) -> dict[PurchaseNumber, Version]:
        if time.monotonic() < self._away_until:
            raise _away()
        rows: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                for start in range(0, len(numbers), NUMBERS_AT_ONCE):
                    some = numbers[start : start + NUMBERS_AT_ONCE]
                    wanted = {"numbers": sorted({n.purchase_id for n in some}),
                              "sellers": sorted({n.seller_id for n in some})}  # fmt: skip
                    rows += await self._warehouse.rows(KNOWN_VERSIONS, wanted)
        except (TimeoutError, Problem, RuntimeError):
            # RuntimeError: it has no such table yet.
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise _away() from None
        return read(rows)

    async def run(self) -> None:
        """Keep the filter up to date for ever. While ClickHouse is away it stays as it is."""
        since = 0
        while True:
            began = int(time.time())
            try:
                if self._filter is None or self._filter.count > self._filter.capacity:
                    await self._build()
                else:
                    await self._follow(self._filter, since)
                since = began - OVERLAP_SECONDS
            except Problem:
                # /readyz says so.
                pass
            except RuntimeError as error:
                # Before the stream's first start there is no table.
                LOG.warning("The numbers of purchases could not be read and are queried one by one: %s", error)
            await asyncio.sleep(FOLLOW_SECONDS)

    async def _build(self) -> None:
        (counted,) = await self._warehouse.rows(COUNT)
        built = BloomFilter(max(int(counted["numbers"]) * ROOM, LEAST_ROOM))
        async for hashes in self._warehouse.stream(HASHES.format(since="")):
            built.add_hashes(hashes)
            await asyncio.sleep(0)
        for number in self._recent:
            built.add(number.text)
        self._filter = built

    async def _follow(self, known: BloomFilter, since: int) -> None:
        before = known.count
        async for hashes in self._warehouse.stream(HASHES.format(since=SINCE), {"since": since}):
            known.add_hashes(hashes)
            await asyncio.sleep(0)
        # Most rows of the overlap were counted before.
        known.count = before + (known.count - before) // 16


def _away() -> Problem:
    return Problem(
        503, "unavailable", "ClickHouse does not answer now, so it is not known what would be replaced. Try again in 5 "
        "seconds.", headers={"Retry-After": "5"},
    )  # fmt: skip


def read(rows: Iterable[Mapping[str, Any]]) -> dict[PurchaseNumber, Version]:
    """The current version of each number, from lines of ClickHouse: the one that arrived last."""
    events: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        events.setdefault(row["event_id"], []).append(row)
    # A larger arrival came earlier (`streaming.core.parse.ARRIVAL`).
    versions: dict[PurchaseNumber, Version] = {}
    for event_id, lines in sorted(events.items(), key=lambda event: -int(event[1][0]["arrival"])):
        lines.sort(key=lambda line: int(line["line_no"]))
        first = lines[0]
        number = PurchaseNumber(
            first["seller_id"], first["purchase_id"], all(int(line["quantity"]) < 0 for line in lines)
        )
        content = written(CONTENT.of({**first, "lines": lines}))
        before = versions.get(number)
        earlier = (before.event_id, *before.earlier) if before else ()
        versions[number] = Version(event_id, digest_of(content), first["day"], earlier)
    return versions
