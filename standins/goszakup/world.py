"""The world as a whole: all tables of one seed, the ids of their rows, and the clock that says what has happened yet.

Tables hold the coming days too. What is seen depends on the clock alone, so the same seed and the same number of days
give the same answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from standins.goszakup.bids import Bids, Offers, make_bids
from standins.goszakup.columns import DAY, OPENING, Array, Ids
from standins.goszakup.contracts import Contracts, Deals, make_contracts, make_deals
from standins.goszakup.execution import Execution, make_execution
from standins.goszakup.parties import Parties, Size, make_parties
from standins.goszakup.plans import Points, make_points
from standins.goszakup.tenders import Lots, Tenders, make_tenders

BASES = {
    "subject": 100_000, "rnu": 4_000, "points": 30_000_000, "kato": 41_000_000, "spec": 52_000_000,
    "trd_buy": 400_000, "lots": 800_000, "trd_app": 6_000_000, "offers": 21_000_000, "contract": 3_100_000,
    "acts": 1_200_000, "payments": 9_300_000,
}  # fmt: skip


class WorldEnded(Exception):
    """The clock has gone as far as this world goes."""


@dataclass
class World:
    """`clock` is in local seconds, the last second of a day; what bears that instant or an earlier one has happened."""

    seed: int
    size: Size
    parties: Parties
    tenders: Tenders
    lots: Lots
    bids: Bids
    offers: Offers
    deals: Deals
    awarded: Array
    contracts: Contracts
    points: Points
    execution: Execution
    clock: int = OPENING - 1
    ids: dict[str, Ids] = field(default_factory=dict)

    @property
    def day(self) -> int:
        """Days since the opening."""
        return (self.clock + 1 - OPENING) // DAY

    def next_day(self) -> None:
        """Let one day happen; raises Over after the last one."""
        if self.day >= self.size.days:
            raise WorldEnded(f"This world has {self.size.days} days, and they are over; start one with more --days.")
        self.clock += DAY

    @cached_property
    def lot_sums(self) -> Array:
        """Running sums of the lots' amounts, tiyn: at each place the sum of the lots before it."""
        return np.concatenate([[0], np.cumsum(self.lots.amount)])

    @cached_property
    def lot_won(self) -> Array:
        """For each lot whether someone wins it."""
        won = np.zeros(self.lots.n, dtype=bool)
        won[self.offers.lot[self.awarded]] = True
        return won

    @cached_property
    def tender_won(self) -> Array:
        """For each announcement whether a lot of it is won."""
        won = np.zeros(self.tenders.n, dtype=bool)
        won[self.lots.tender[self.lot_won]] = True
        return won

    @cached_property
    def sole_supplier(self) -> Array:
        """For each announcement one of its bidders, -1 without any: the only one where only one may bid."""
        supplier = np.full(self.tenders.n, -1, dtype=np.int64)
        supplier[self.bids.tender] = self.bids.supplier
        return supplier


def make_world(seed: int, lots: int, days: int = 30) -> World:
    """The world of a seed, with so many lots before its opening, and so many days to come.

    1,000 lots take a fraction of a second, 1,000,000 some ten seconds and below 2 GiB.
    """
    size = Size(lots, days)
    parties = make_parties(seed, size)
    tenders, of_tenders = make_tenders(seed, size, parties)
    bids, offers = make_bids(seed, size, parties, tenders, of_tenders)
    deals, awarded = make_deals(seed, size, parties, tenders, of_tenders, bids, offers)
    contracts = make_contracts(seed, deals)
    points = make_points(seed, size, parties, tenders, of_tenders, deals)
    execution = make_execution(seed, size, parties, deals, contracts)
    ids = {name: Ids(seed, name, base) for name, base in BASES.items()}
    return World(
        seed, size, parties, tenders, of_tenders, bids, offers, deals, awarded, contracts, points, execution, ids=ids
    )
