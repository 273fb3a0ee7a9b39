"""Applications and what they offer for each lot, and who wins: the lowest offer that was not rejected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from standins.goszakup.columns import Array, generator, spread
from standins.goszakup.parties import RING_MEMBERS, Parties, Size
from standins.goszakup.tenders import AFTER_FAILURE, Lots, Tenders


@dataclass(frozen=True)
class Bids:
    """One row per application, by time. Its offers are the rows `first` to `first + offers` of Offers."""

    tender: Array
    supplier: Array
    applied: Array
    first: Array
    offers: Array


@dataclass(frozen=True)
class Offers:
    """One row per application and lot. `share` is the price in millionths of the planned one, point by point."""

    bid: Array
    lot: Array
    share: Array
    amount: Array
    rejected: Array
    won: Array


def make_bids(seed: int, size: Size, parties: Parties, tenders: Tenders, lots: Lots) -> tuple[Bids, Offers]:
    random = generator(seed, "bids")
    ring = tenders.ring >= 0
    per_category = size.suppliers // size.categories
    # More bidders than half a category's suppliers could not all be different ones.
    counts = np.where(ring, RING_MEMBERS, np.minimum(tenders.bidders.astype(np.int64), per_category))
    tender, place = spread(counts)
    category = tenders.category[tender].astype(np.int64)
    start = (per_category * random.random(tenders.n) ** 2).astype(np.int64)[tender]
    step = random.integers(1, max(2, per_category // 8 + 1), tenders.n)[tender]
    ordinary = parties.buyers + category + size.categories * ((start + place * step) % per_category)
    supplier = np.where(ring[tender], parties.pool + tenders.ring[tender] * RING_MEMBERS + place, ordinary)
    opens, closes = tenders.opens[tender], tenders.closes[tender]
    applied = opens + ((closes - opens) * random.random(len(tender))).astype(np.int64)
    order = np.argsort(applied, kind="stable")
    tender, place, supplier = tender[order], place[order], supplier[order].astype(np.int32)
    bid, lot = _covered(random, tenders, tender, place)
    offers = np.bincount(bid, minlength=len(tender))
    share = _shares(random, tenders, lots, tender[bid], place[bid], lot)
    amount = _amounts(lots, lot, share)
    tender_of = tender[bid]
    safe = ring[tender_of] | (counts[tender_of] == 1) | (tenders.method[tender_of] == AFTER_FAILURE)
    all_rejected = (random.random(tenders.n) < 0.03)[tender_of]
    rejected = ~safe & (all_rejected | (random.random(len(bid)) < 0.08))
    bids = Bids(tender, supplier, applied[order], np.cumsum(offers) - offers, offers.astype(np.int8))
    return bids, Offers(bid, lot, share, amount, rejected, _winners(lot, amount, rejected))


def _covered(random: np.random.Generator, tenders: Tenders, tender: Array, place: Array) -> tuple[Array, Array]:
    """Which lots each application covers: all of them, or most; the rows are (application, lot)."""
    bid, number = spread(tenders.lots[tender])
    of = tender[bid]
    complete = (tenders.ring[of] >= 0) | (tenders.bidders[of] == 1)
    kept = complete | (random.random(len(bid)) < 0.8) | (place[bid] % tenders.lots[of] == number)
    return bid[kept], (tenders.first_lot[of] + number)[kept].astype(np.int32)


def _shares(
    random: np.random.Generator, tenders: Tenders, lots: Lots, tender: Array, place: Array, lot: Array
) -> Array:  # fmt: skip
    """Rivals spread over ten points or more; a lone bidder asks nearly all; covers lie just above a ring's winner."""
    n = len(lot)
    level = random.integers(780_000, 960_000, lots.n)[lot]
    rivals = np.minimum(1_000_000, level * (1 + 0.16 * random.random(n))).astype(np.int64)
    lone = random.integers(985_000, 1_000_001, n)
    turn = ring_turn(tenders)[tender]
    ring_level = random.integers(955_000, 970_000, lots.n)[lot]
    ring = np.where(place == turn, ring_level, ring_level + random.integers(4_000, 28_000, n))
    share = np.where(tenders.ring[tender] >= 0, ring, np.where(tenders.bidders[tender] == 1, lone, rivals))
    return share.astype(np.int32)


def ring_turn(tenders: Tenders) -> Array:
    """Whose turn it is to win: the members take the announcements of their ring one after the other."""
    turn = np.zeros(tenders.n, dtype=np.int64)
    for ring in range(int(tenders.ring.max()) + 1):
        mine = np.flatnonzero(tenders.ring == ring)
        turn[mine] = np.arange(len(mine)) % RING_MEMBERS
    return turn


def unit_prices(price: Array, share: Array) -> Array:
    """What is asked for one piece, in tiyn: the planned price times the share, rounded down."""
    result: Array = np.maximum(1, price * share.astype(np.int64) // 1_000_000)
    return result


def _amounts(lots: Lots, lot: Array, share: Array) -> Array:
    first = lots.first[lot]
    total: Array = unit_prices(lots.price[first], share) * lots.count[first]
    double = np.flatnonzero(lots.points[lot] == 2)
    second = first[double] + 1
    total[double] += unit_prices(lots.price[second], share[double]) * lots.count[second]
    return total


def _winners(lot: Array, amount: Array, rejected: Array) -> Array:
    """The lowest offer of each lot that was not rejected; of equal ones the earliest."""
    valid = np.flatnonzero(~rejected)
    order = valid[np.lexsort((valid, amount[valid], lot[valid]))]
    leads = np.ones(len(order), dtype=bool)
    leads[1:] = lot[order][1:] != lot[order][:-1]
    won = np.zeros(len(lot), dtype=bool)
    won[order[leads]] = True
    return won
