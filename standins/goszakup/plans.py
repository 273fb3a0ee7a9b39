"""Plan points: what each lot and each direct contract fulfils, and some that nobody acted upon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from standins.goszakup.columns import DAY, NEVER, OPENING, START, Array, generator, spread
from standins.goszakup.contracts import Deals, typical_price
from standins.goszakup.parties import Parties, Size
from standins.goszakup.tenders import Lots, Tenders


@dataclass(frozen=True)
class Points:
    """One row per plan point, by time. `method` is the planned one. `approved` changes the row, `gone` deletes it.

    `of_lot` is the first point of each lot (a second one follows it), `of_deal` the point of each direct contract.
    """

    created: Array
    approved: Array
    gone: Array
    customer: Array
    category: Array
    method: Array
    price: Array
    count: Array
    of_lot: Array
    of_deal: Array

    @property
    def n(self) -> int:
        return len(self.created)


def make_points(seed: int, size: Size, parties: Parties, tenders: Tenders, lots: Lots, deals: Deals) -> Points:
    random = generator(seed, "points")
    lot, _ = spread(lots.points)
    tender = lots.tender[lot]
    direct = np.flatnonzero(deals.tender < 0)
    unused = max(40, len(lot) // 20)
    span = OPENING - START + size.days * DAY
    spare = START + (span * random.random(unused)).astype(np.int64)
    category = random.integers(0, size.categories, unused)
    created = np.concatenate([tenders.published[tender] - 20 * DAY, deals.created[direct] - 10 * DAY, spare])
    order = np.argsort(created, kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order))
    of_deal = np.full(deals.n, -1, dtype=np.int32)
    of_deal[direct] = rank[len(lot) : len(lot) + len(direct)]
    gone = np.full(len(order), NEVER, dtype=np.int64)
    leavers = random.permutation(np.flatnonzero(spare < OPENING - 90 * DAY))[: unused // 4]
    when = OPENING + (np.arange(len(leavers)) - len(leavers) // 2) * DAY + 11 * 3600
    leaves = (when < OPENING + size.days * DAY) & (when > spare[leavers] + 5 * DAY)
    gone[rank[len(lot) + len(direct) + leavers[leaves]]] = when[leaves]
    owners = (parties.buyers * random.random(unused) ** 1.5).astype(np.int64)

    def ordered(*parts: Array) -> Array:
        return np.concatenate(parts)[order]

    return Points(
        created=created[order],
        approved=created[order] + random.integers(1, 5, len(order)) * DAY,
        gone=gone,
        customer=ordered(lots.customer[lot], deals.buyer[direct], owners).astype(np.int32),
        category=ordered(tenders.category[tender], deals.category[direct], category).astype(np.int16),
        method=ordered(tenders.method[tender], np.full(len(direct), 23), np.full(unused, 3)).astype(np.int16),
        price=ordered(lots.price, deals.sum[direct], typical_price(category)),
        count=ordered(lots.count, np.ones(len(direct), dtype=np.int64), random.integers(1, 20, unused)),
        of_lot=rank[lots.first],
        of_deal=of_deal,
    )
