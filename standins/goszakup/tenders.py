"""Announcements and their lots: who buys what, when, by which method, and what was planted before anyone bids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from standins.goszakup.columns import DAY, NEVER, OPENING, START, Array, generator, spread
from standins.goszakup.parties import Parties, Size
from standins.goszakup.words import GOODS

OPEN_TENDER, PRICE_QUOTATIONS, AFTER_FAILURE, AUCTION, DIRECT, RATING = 2, 3, 6, 7, 23, 188
LOTS_PER_TENDER = (0.45, 0.20, 0.12, 0.08, 0.06, 0.04, 0.03, 0.02)
BIDDERS = (0.07, 0.18, 0.25, 0.20, 0.14, 0.08, 0.05, 0.02, 0.01)
RING_TENDERS = 12
FIRST_SINGLE_BID_BUYER = 3


@dataclass(frozen=True)
class Tenders:
    """One row per announcement, by time. Row numbers of subjects in `buyer` and `second` (-1: one customer only).

    `ring` is the number of the ring that bids, or -1. `final` is when results are public or the cancellation is.
    `gone` is when the announcement leaves the register. `parent` is the failed announcement that method 6 follows.
    """

    published: Array
    opens: Array
    closes: Array
    final: Array
    gone: Array
    method: Array
    buyer: Array
    second: Array
    category: Array
    bidders: Array
    ring: Array
    parent: Array
    cancelled: Array
    first_lot: Array
    lots: Array

    @property
    def n(self) -> int:
        return len(self.published)


@dataclass(frozen=True)
class Lots:
    """One row per lot: its announcement, its number within it, its customer, and its plan points (one or two).

    `price` and `count` are those of the points of the lot, in the order of lots; `first` is a lot's first of them.
    """

    tender: Array
    number: Array
    customer: Array
    points: Array
    first: Array
    price: Array
    count: Array
    amount: Array

    @property
    def n(self) -> int:
        return len(self.tender)


def make_tenders(seed: int, size: Size, parties: Parties) -> tuple[Tenders, Lots]:
    random = generator(seed, "tenders")
    published, sizes = _announcements(random, size)
    n, past = len(published), published < OPENING
    buyer = _favoured(random, parties.buyers, n)
    single = (buyer >= FIRST_SINGLE_BID_BUYER) & (buyer < FIRST_SINGLE_BID_BUYER + size.single_bid_buyers)
    category = random.integers(0, size.categories, n).astype(np.int16)
    method = random.choice(
        [PRICE_QUOTATIONS, OPEN_TENDER, AUCTION, AFTER_FAILURE, RATING], n, p=[0.46, 0.34, 0.08, 0.07, 0.05]
    )
    ring = _rings(random, size, published)
    buyer = np.where(ring >= 0, 0, buyer)
    planted = single | (ring >= 0)
    category = np.where(ring >= 0, ring % size.categories, category).astype(np.int16)
    method = np.where(planted, np.where(method == AFTER_FAILURE, OPEN_TENDER, method), method).astype(np.int16)
    bidders = random.choice(len(BIDDERS), n, p=BIDDERS)
    bidders = np.where(single | (method == AFTER_FAILURE), 1, np.where(ring >= 0, 0, bidders)).astype(np.int8)
    cancelled = (random.random(n) < 0.04) & ~planted & (method != AFTER_FAILURE)
    bidders[cancelled] = 0

    opens = published + random.integers(1, 24, n) * 3600
    length = np.where(method == PRICE_QUOTATIONS, random.integers(5, 8, n), random.integers(7, 21, n))
    length = np.where(method == AFTER_FAILURE, 3, length)
    closes = opens + length * DAY
    final = closes + random.integers(2, 11, n) * DAY + random.integers(0, 8, n) * 3600
    final = np.where(cancelled, published + ((closes - published) * random.random(n)).astype(np.int64), final)
    failed = (bidders == 0) & (ring < 0)
    parent = _parents(random, published, final, failed & ~cancelled, method == AFTER_FAILURE)
    orphan = (method == AFTER_FAILURE) & (parent < 0)
    method[orphan] = OPEN_TENDER
    follows = parent >= 0
    buyer = np.where(follows, buyer[parent], buyer).astype(np.int32)
    category = np.where(follows, category[parent], category).astype(np.int16)
    second = np.where(
        (sizes >= 2) & ~planted & ~follows & (random.random(n) < 0.05), (buyer + 1) % parties.buyers, -1
    ).astype(np.int32)
    first_single, last_single = FIRST_SINGLE_BID_BUYER, FIRST_SINGLE_BID_BUYER + size.single_bid_buyers
    second[(second >= first_single) & (second < last_single)] = -1
    tenders = Tenders(
        published=published, opens=opens, closes=closes, final=final,
        gone=_gone(random, size, final, failed, past, parent), method=method, buyer=buyer, second=second,
        category=category, bidders=bidders, ring=ring, parent=parent, cancelled=cancelled,
        first_lot=np.cumsum(sizes) - sizes, lots=sizes,
    )  # fmt: skip
    return tenders, _lots(random, tenders)


def _announcements(random: np.random.Generator, size: Size) -> tuple[Array, Array]:
    """When each is published, and how many lots it has. Before the opening there are exactly `size.lots`."""
    choices = np.arange(1, len(LOTS_PER_TENDER) + 1)
    sizes = random.choice(choices, size.lots, p=LOTS_PER_TENDER)
    ends = np.cumsum(sizes)
    n = int(np.searchsorted(ends, size.lots)) + 1
    sizes = sizes[:n].copy()
    sizes[-1] -= ends[n - 1] - size.lots
    days = np.arange(START // DAY, OPENING // DAY)
    weights = np.where((days + 3) % 7 < 5, 1.0, 0.08) * np.where(days % 365 > 300, 1.3, 1.0)
    past = np.sort(random.choice(days, n, p=weights / weights.sum()) * DAY + 9 * 3600 + random.integers(0, 32_000, n))
    per_day = max(3, n // len(days))
    coming = OPENING + np.repeat(np.arange(size.days), per_day) * DAY + 9 * 3600
    coming = np.sort(coming + random.integers(0, 32_000, len(coming)))
    more = random.choice(choices, len(coming), p=LOTS_PER_TENDER)
    return np.concatenate([past, coming]), np.concatenate([sizes, more])


def _favoured(random: np.random.Generator, choices: int, n: int) -> Array:
    """Row numbers below `choices`; small ones come more often."""
    return (choices * random.random(n) ** 1.5).astype(np.int32)


def _rings(random: np.random.Generator, size: Size, published: Array) -> Array:
    """The ring of each announcement: RING_TENDERS of each ring, all finished long before the opening."""
    ring = np.full(len(published), -1, dtype=np.int32)
    finished = np.flatnonzero(published < OPENING - 200 * DAY)
    chosen = random.choice(finished, size.rings * RING_TENDERS, replace=False)
    ring[chosen] = np.arange(len(chosen)) % size.rings
    return ring


def _parents(random: np.random.Generator, published: Array, final: Array, failed: Array, follows: Array) -> Array:
    """For each that follows a failure: one announcement that had failed by then; -1 if there was none."""
    parent = np.full(len(published), -1, dtype=np.int32)
    candidates = np.flatnonzero(failed)
    children = np.flatnonzero(follows)
    if len(candidates) and len(children):
        known = np.searchsorted(published[candidates], published[children] - 40 * DAY)
        chosen = candidates[np.maximum(0, known - 1 - random.integers(0, 5, len(children)))]
        parent[children] = np.where((known > 0) & (final[chosen] < published[children]), chosen, -1)
    return parent


def _gone(
    random: np.random.Generator, size: Size, final: Array, failed: Array, past: Array, parent: Array
) -> Array:  # fmt: skip
    """A few of those that nobody bid for leave the register: some before the opening, one on each coming day."""
    gone = np.full(len(final), NEVER, dtype=np.int64)
    followed = np.zeros(len(final), dtype=bool)
    followed[parent[parent >= 0]] = True
    candidates = random.permutation(np.flatnonzero(failed & past & ~followed & (final < OPENING - 30 * DAY)))
    early = candidates[: len(candidates) // 10]
    gone[early] = final[early] + random.integers(5, 30, len(early)) * DAY
    daily = candidates[len(early) :][: min(size.days, len(candidates) // 2)]
    gone[daily] = OPENING + np.arange(len(daily)) * DAY + 15 * 3600
    return gone


def _lots(random: np.random.Generator, tenders: Tenders) -> Lots:
    tender, number = spread(tenders.lots)
    n = len(tender)
    second = tenders.second[tender]
    points = np.where(random.random(n) < 0.1, 2, 1).astype(np.int8)
    owner, _ = spread(points)
    goods = np.array([good.price for good in GOODS])[tenders.category[tender[owner]]]
    # Two significant steps keep prices plausible: most are whole tenge, some carry tiyn.
    price = np.maximum(20, goods * np.exp(random.normal(0, 0.3, len(owner)))).astype(np.int64) * 100
    price += np.where(random.random(len(owner)) < 0.1, random.integers(1, 100, len(owner)), 0)
    dear = goods > 1_000_000
    count = np.where(dear, random.integers(1, 4, len(owner)), random.integers(2, 200, len(owner)))
    first = np.cumsum(points) - points
    return Lots(
        tender=tender,
        number=(number + 1).astype(np.int8),
        customer=np.where((second >= 0) & (number % 2 == 1), second, tenders.buyer[tender]).astype(np.int32),
        points=points,
        first=first,
        price=price,
        count=count.astype(np.int32),
        amount=np.add.reduceat(price * count, first),
    )
