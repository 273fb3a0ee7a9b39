"""Who takes part: buyers, then suppliers, then the suppliers that planted truths keep to themselves, then newcomers.

Row numbers rise with the day of registration, so newcomers of later days stand at the head of the register.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from standins.goszakup.columns import DAY, NEVER, OPENING, Array, generator, instant
from standins.goszakup.words import BUYER_KINDS, GOODS, REGIONS

RING_MEMBERS = 4


@dataclass(frozen=True)
class Size:
    """How large everything is, from the number of lots and of days that the clock can go."""

    lots: int
    days: int

    @property
    def buyers(self) -> int:
        return max(12, self.lots // 250)

    @property
    def suppliers(self) -> int:
        return max(80, self.lots // 25)

    @property
    def categories(self) -> int:
        """Each has ten suppliers at least, so that up to eight can bid."""
        return min(len(GOODS), self.suppliers // 10)

    @property
    def rings(self) -> int:
        return 1 + self.lots // 50_000

    @property
    def splits(self) -> int:
        return 2 + self.lots // 10_000

    @property
    def single_bid_buyers(self) -> int:
        return 1 + self.buyers // 100

    @property
    def reserved(self) -> int:
        """Suppliers of rings and of split purchases: they take part in nothing else."""
        return self.rings * RING_MEMBERS + self.splits


@dataclass(frozen=True)
class Parties:
    """Columns of the subjects. `kind`: 1 legal, 2 person, 3 sole trader; `touched`: when a row changes, or NEVER."""

    biin: Array
    kind: Array
    created: Array
    touched: Array
    region: Array
    taxed: Array
    state: Array
    buyers: int
    pool: int
    """Row number after the last ordinary supplier: the reserved ones begin here."""
    reserved: int
    """Row number after the last reserved supplier: the newcomers begin here."""

    @property
    def n(self) -> int:
        return len(self.biin)


def make_parties(seed: int, size: Size) -> Parties:
    random = generator(seed, "parties")
    buyers, pool = size.buyers, size.buyers + size.suppliers
    reserved = pool + size.reserved
    n = reserved + size.days
    index = np.arange(n)
    early = np.sort(random.integers(instant("2015-06-01"), instant("2022-11-01"), reserved))
    late = OPENING + np.arange(size.days) * DAY + 10 * 3600 + random.integers(0, 7 * 3600, size.days)
    kind = np.where(index < buyers, 1, random.choice([1, 1, 1, 1, 1, 1, 1, 2, 3, 3], n)).astype(np.int8)
    kind[pool:reserved] = 1
    created = np.concatenate([early, late])
    touched = OPENING + random.integers(0, max(1, size.days), n) * DAY + 9 * 3600 + random.integers(0, DAY // 3, n)
    touched = np.where((index < reserved) & (random.random(n) < 0.3), touched, NEVER)
    state = np.array([kind[2] for kind in BUYER_KINDS])[index % len(BUYER_KINDS)] & (index < buyers)
    return Parties(
        biin=_numbers(random, index, kind == 1, state),
        kind=kind,
        created=created,
        touched=touched,
        region=random.integers(0, len(REGIONS), n).astype(np.int16),
        taxed=(kind == 1) & (random.random(n) < 0.7),
        state=state,
        buyers=buyers,
        pool=pool,
        reserved=reserved,
    )


def _numbers(random: np.random.Generator, index: Array, legal: Array, state: Array) -> Array:
    """BIN: year, month, 4, 0, six digits of its own. IIN: birthday, century, five digits of its own.

    A third of the firms were founded from 2000 to 2009: their BIN begins with a zero.
    """
    n = len(index)
    year = np.where(random.random(n) < 0.34, random.integers(0, 10, n), random.integers(10, 23, n))
    year = np.where(state, random.integers(90, 100, n), year)
    month = random.integers(1, 13, n)
    firm = ((year * 100 + month) * 10 + 4) * 10_000_000 + index
    birthday = random.integers(60, 100, n) * 10_000 + random.integers(1, 13, n) * 100 + random.integers(1, 29, n)
    person = (birthday * 10 + 3) * 100_000 + index % 100_000
    return np.where(legal, firm, person)
