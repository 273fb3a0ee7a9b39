"""Contracts: those that follow an announcement, those concluded directly, and the addenda, each a row of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from standins.goszakup.bids import Bids, Offers
from standins.goszakup.columns import DAY, NEVER, OPENING, START, Array, generator, spread
from standins.goszakup.parties import RING_MEMBERS, Parties, Size
from standins.goszakup.tenders import Lots, Tenders
from standins.goszakup.words import GOODS

THRESHOLD = 400_000_000
"""Tiyn: below 4,000,000 tenge without VAT a buyer may conclude directly."""
SPLIT_PARTS = 7


@dataclass(frozen=True)
class Deals:
    """One row per first contract, in no order: what all rows of its chain have in common.

    `tender` is -1 for a direct contract; then `split` may be the number of a planted split purchase.
    `awards` offers from `first` on in World.awarded belong to it. Sums are tiyn without VAT. `ends` is when it is done,
    or ended early (`broken`). A `draft` is never signed, is marked as deleted two days after, and may leave at `gone`.
    """

    tender: Array
    buyer: Array
    supplier: Array
    category: Array
    first: Array
    awards: Array
    sum: Array
    created: Array
    signed: Array
    ends: Array
    broken: Array
    draft: Array
    gone: Array
    split: Array
    inflated: Array

    @property
    def n(self) -> int:
        return len(self.tender)


@dataclass(frozen=True)
class Contracts:
    """One row per contract row, by time: its deal, its place in the chain (0 is the first), and the row before it."""

    deal: Array
    place: Array
    parent: Array
    root: Array
    created: Array
    signed: Array
    sum: Array
    root_of_deal: Array
    last_sum: Array
    """Of each deal: the sum that its last addendum set."""


def make_deals(
    seed: int, size: Size, parties: Parties, tenders: Tenders, lots: Lots, bids: Bids, offers: Offers
) -> tuple[Deals, Array]:
    """The deals, and the awarded offers ordered by deal."""
    random = generator(seed, "deals")
    awarded = np.flatnonzero(offers.won)
    key = offers.bid[awarded].astype(np.int64) * 2 + (lots.number[offers.lot[awarded]] % 2 == 0) * (
        tenders.second[bids.tender[offers.bid[awarded]]] >= 0
    )
    order = np.argsort(key, kind="stable")
    awarded, key = awarded[order], key[order]
    _, first, awards = np.unique(key, return_index=True, return_counts=True)
    head = awarded[first]
    bid, lot = offers.bid[head], offers.lot[head]
    tender = bids.tender[bid]
    total = np.add.reduceat(offers.amount[awarded], first) if len(first) else np.zeros(0, dtype=np.int64)
    created = tenders.final[tender] + random.integers(1, 12, len(head)) * DAY + random.integers(0, 7200, len(head))
    direct = _direct(random, size, parties, len(head))
    none = np.zeros(len(direct["buyer"]), dtype=np.int64)

    created = np.concatenate([created, direct["created"]])
    n = len(created)
    is_direct = np.arange(n) >= len(head)
    split = np.concatenate([np.full(len(head), -1), direct["split"]]).astype(np.int32)
    signed = created + random.integers(1, 7, n) * DAY + random.integers(0, 20_000, n)
    ends = signed + random.integers(25, 240, n) * DAY
    draft = is_direct & (split < 0) & (random.random(n) < 0.03)
    broken = ~draft & (split < 0) & (random.random(n) < 0.05)
    broken[: len(head)] &= tenders.ring[tender] < 0
    ends = np.where(broken, signed + ((ends - signed) * 0.6).astype(np.int64), ends)
    gone = np.full(n, NEVER, dtype=np.int64)
    leavers = random.permutation(np.flatnonzero(draft & (created < OPENING - 30 * DAY)))
    early, daily = leavers[: len(leavers) // 4], leavers[len(leavers) // 4 :][: size.days]
    gone[early] = created[early] + 20 * DAY
    gone[daily] = OPENING + np.arange(len(daily)) * DAY + 16 * 3600
    sums = np.concatenate([total, direct["sum"]])
    return Deals(
        tender=np.concatenate([tender, none - 1]).astype(np.int32),
        buyer=np.concatenate([lots.customer[lot], direct["buyer"]]).astype(np.int32),
        supplier=np.concatenate([bids.supplier[bid], direct["supplier"]]).astype(np.int32),
        category=np.concatenate([tenders.category[tender], direct["category"]]).astype(np.int16),
        first=np.concatenate([first, none]),
        awards=np.concatenate([awards, none]).astype(np.int16),
        sum=sums, created=created, signed=np.where(draft, NEVER, signed), ends=np.where(draft, NEVER, ends),
        broken=broken, draft=draft, gone=gone, split=split,
        inflated=_inflated(random, signed, ends, draft | broken | is_direct, n),
    ), awarded  # fmt: skip


def _direct(random: np.random.Generator, size: Size, parties: Parties, tendered: int) -> dict[str, Array]:
    """Direct contracts over the whole time, all well below the threshold, and the planted splits just below it."""
    n = max(40, int(tendered * 0.4))
    pace = n // ((OPENING - START) // DAY) + 1
    past = START + 20 * DAY + ((OPENING - START - 20 * DAY) * random.random(n)).astype(np.int64)
    coming = OPENING + np.repeat(np.arange(size.days), pace) * DAY + 9 * 3600
    coming = coming + random.integers(0, 30_000, len(coming))
    created = np.concatenate([past, coming])
    n = len(created)
    category = random.integers(0, size.categories, n)
    per_category = size.suppliers // size.categories
    place = (per_category * random.random(n) ** 2).astype(np.int64)
    prices = np.minimum(THRESHOLD * 0.8, 20_000_000 * np.exp(random.normal(0, 1.0, n))).astype(np.int64)

    split, _ = spread(np.full(size.splits, SPLIT_PARTS))
    begins = START + 200 * DAY + ((OPENING - START - 400 * DAY) * random.random(size.splits)).astype(np.int64)
    parts = len(split)
    joined = {
        "created": (created, begins[split] + random.integers(0, 9 * DAY, parts)),
        "category": (category, (split + 1) % size.categories),
        "buyer": ((parties.buyers * random.random(n) ** 1.5).astype(np.int64), 1 + split % (parties.buyers - 1)),
        "supplier": (
            parties.buyers + category + size.categories * place,
            parties.pool + size.rings * RING_MEMBERS + split,
        ),
        "sum": (prices // 100 * 100, random.integers(THRESHOLD * 90 // 100, THRESHOLD, parts) // 100 * 100),
        "split": (np.full(n, -1), split),
    }
    return {name: np.concatenate(values) for name, values in joined.items()}


def _inflated(random: np.random.Generator, signed: Array, ends: Array, barred: Array, n: int) -> Array:
    """Which deals were won low and then raised by addenda: a handful, all done before the opening."""
    inflated = np.zeros(n, dtype=bool)
    candidates = np.flatnonzero(~barred & (ends < OPENING - 30 * DAY) & (ends - signed > 60 * DAY))
    chosen = 3 + n // 5_000
    inflated[random.choice(candidates, min(chosen, len(candidates)), replace=False)] = True
    return inflated


def make_contracts(seed: int, deals: Deals) -> Contracts:
    """The chains of rows: ordinary addenda shift the sum by some hundredths, the planted ones by a third each."""
    random = generator(seed, "contracts")
    addenda = random.choice(4, deals.n, p=[0.78, 0.15, 0.05, 0.02])
    addenda = np.where(deals.inflated, 2 + addenda % 2, np.where(deals.draft | (deals.split >= 0), 0, addenda))
    deal, place = spread(addenda + 1)
    span = deals.ends[deal] - deals.signed[deal]
    later = deals.signed[deal] + span * place // (addenda[deal] + 2) + 7 * place
    created = np.where(place == 0, deals.created[deal], later)
    factor = 1 + random.choice([-0.08, -0.03, 0.0, 0.0, 0.04], len(deal))
    factor = np.where(deals.inflated[deal], random.uniform(1.25, 1.4, len(deal)), factor)
    total = deals.sum[deal].astype(np.float64)
    for step in range(1, int(addenda.max()) + 1):
        here = np.flatnonzero(place == step)
        total[here] = total[here - 1] * factor[here]
    sums = np.where(place == 0, deals.sum[deal], total.astype(np.int64) // 100 * 100)
    last_sum = sums[np.cumsum(addenda + 1) - 1]

    order = np.argsort(created, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    root_of_deal = rank[np.cumsum(addenda + 1) - addenda - 1]
    parent = np.where(place == 0, -1, np.concatenate([[-1], rank[:-1]]))
    signed = np.where(place == 0, deals.signed[deal], created + DAY)
    return Contracts(
        deal=deal[order],
        place=place[order].astype(np.int8),
        parent=parent[order].astype(np.int32),
        root=root_of_deal[deal][order].astype(np.int32),
        created=created[order],
        signed=signed[order],
        sum=sums[order],
        root_of_deal=root_of_deal,
        last_sum=last_sum,
    )


def typical_price(category: Array) -> Array:
    """Tiyn for one piece of what a category buys."""
    return np.array([good.price * 100 for good in GOODS])[category]
