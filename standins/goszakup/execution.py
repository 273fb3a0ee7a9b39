"""What follows a contract: acts, payments of the treasury, and the register of suppliers that kept no faith."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from standins.goszakup.columns import DAY, NEVER, OPENING, Array, generator, spread
from standins.goszakup.contracts import Contracts, Deals
from standins.goszakup.parties import Parties, Size

PORTAL, SAMRUK = 3, 2
TERM = 730 * DAY


@dataclass(frozen=True)
class Acts:
    """One row per act, by time. A `revoked` act is marked as deleted when it would have been approved."""

    deal: Array
    created: Array
    approved: Array
    amount: Array
    revoked: Array
    number: Array


@dataclass(frozen=True)
class Payments:
    """One row per payment of the treasury, by time, in tiyn."""

    deal: Array
    paid: Array
    amount: Array


@dataclass(frozen=True)
class Sanctions:
    """One row per entry of the register, by time; it leaves the list after two years. `deal` is the broken contract."""

    deal: Array
    supplier: Array
    begins: Array
    ends: Array
    system: Array


@dataclass(frozen=True)
class Execution:
    """All of it, and the planted deals that were paid although no act exists."""

    acts: Acts
    payments: Payments
    sanctions: Sanctions
    unproven: Array


def make_execution(seed: int, size: Size, parties: Parties, deals: Deals, contracts: Contracts) -> Execution:
    random = generator(seed, "execution")
    paid_by_state = parties.state[deals.buyer]
    plain = ~deals.draft & ~deals.broken & ~deals.inflated & (deals.split < 0) & paid_by_state
    candidates = np.flatnonzero(plain & (deals.tender >= 0) & (deals.ends < OPENING - 30 * DAY))
    unproven = np.sort(random.choice(candidates, min(len(candidates), 3 + deals.n // 5_000), replace=False))
    worked = ~deals.draft & (random.random(deals.n) < 0.9)
    worked[unproven] = False
    acts = _acts(random, deals, contracts, worked)
    return Execution(
        acts, _payments(random, deals, contracts, acts, paid_by_state, unproven),
        _sanctions(random, size, parties, deals), unproven,
    )  # fmt: skip


def _acts(random: np.random.Generator, deals: Deals, contracts: Contracts, worked: Array) -> Acts:
    """One to three acts share the contract's last sum; a broken contract stops after the first."""
    counts = np.where(worked, np.where(deals.broken, 1, random.choice([1, 2, 3], deals.n, p=[0.55, 0.3, 0.15])), 0)
    deal, place = spread(counts)
    span = deals.ends[deal] - deals.signed[deal]
    # Most of the term has passed before the first act, so that addenda come before it.
    created = deals.signed[deal] + span * (7 * counts[deal] + 3 * (place + 1)) // (10 * counts[deal])
    share = contracts.last_sum[deal] // counts[deal] // 100 * 100
    amount = np.where(place == counts[deal] - 1, contracts.last_sum[deal] - share * place, share)
    amount = np.where(deals.broken[deal], amount // 200 * 100, amount)
    order = np.argsort(created, kind="stable")
    n = len(order)
    created = created[order]
    return Acts(
        deal=deal[order], created=created, approved=created + random.integers(1, 9, n) * DAY, amount=amount[order],
        revoked=random.random(n) < 0.01, number=(place[order] + 1).astype(np.int8),
    )  # fmt: skip


def _payments(
    random: np.random.Generator, deals: Deals, contracts: Contracts, acts: Acts, by_state: Array, unproven: Array
) -> Payments:
    """The treasury pays each approved act of a state buyer some days later; the planted deals are paid without."""
    proven = np.flatnonzero(by_state[acts.deal] & ~acts.revoked)
    late = random.integers(3, 20, len(proven)) * DAY
    deal = np.concatenate([acts.deal[proven], unproven])
    paid = np.concatenate([acts.approved[proven] + late, deals.signed[unproven] + 20 * DAY])
    amount = np.concatenate([acts.amount[proven], contracts.last_sum[unproven]])
    order = np.argsort(paid, kind="stable")
    return Payments(deal[order].astype(np.int32), paid[order], amount[order])


def _sanctions(random: np.random.Generator, size: Size, parties: Parties, deals: Deals) -> Sanctions:
    """Suppliers of broken contracts come into the register a month or two after the break, by a court's decision.

    Mostly those that sign little more while listed; a few go on winning, which is a planted truth. One of eight quiet
    ones is listed by the other portal.
    """
    broken = np.flatnonzero(deals.broken & (deals.supplier < parties.pool))
    begins = (deals.ends[broken] + random.integers(30, 60, len(broken)) * DAY) // DAY * DAY
    left, right = _signed_between(deals, deals.supplier[broken], begins)[1:]
    known = np.flatnonzero((begins < OPENING) & (begins > OPENING - TERM))
    known = known[np.argsort((right - left)[known], kind="stable")]
    few = max(6, min(len(known) // 2, size.suppliers // 25))
    quiet, winning = known[:few], [row for row in known[few:] if right[row] > left[row]][: 3 + deals.n // 5_000]
    coming = np.flatnonzero((begins >= OPENING) & (begins < OPENING + size.days * DAY))[: size.days]
    chosen = np.concatenate([quiet, np.array(winning, dtype=np.int64), coming])
    chosen = chosen[np.argsort(begins[chosen], kind="stable")]
    system = np.where(np.isin(chosen, quiet[::8]), SAMRUK, PORTAL)
    return Sanctions(
        deal=broken[chosen], supplier=deals.supplier[broken[chosen]], begins=begins[chosen],
        ends=begins[chosen] + TERM, system=system,
    )  # fmt: skip


def _signed_between(deals: Deals, supplier: Array, begins: Array) -> tuple[Array, Array, Array]:
    """The deals by supplier and signature; and for each (supplier, begin) where those signed within the term lie."""
    order = np.lexsort((deals.signed, deals.supplier))
    key = deals.supplier[order].astype(np.int64) * 2 * NEVER + deals.signed[order]
    start = supplier.astype(np.int64) * 2 * NEVER + begins
    return order, np.searchsorted(key, start), np.searchsorted(key, start + TERM)


def listed_when_signed(deals: Deals, sanctions: Sanctions) -> list[tuple[int, int]]:
    """(deal, entry) for each contract that was signed while its supplier stood in the register."""
    order, left, right = _signed_between(deals, sanctions.supplier, sanctions.begins)
    return [
        (int(deal), entry)
        for entry, (one, other) in enumerate(zip(left.tolist(), right.tolist(), strict=True))
        for deal in order[one:other]
    ]
