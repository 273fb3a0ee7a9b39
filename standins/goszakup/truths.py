"""What was planted, and what follows from it: the list that tests read and analytics never see.

Everything is told as of the opening, by the ids and numbers that the service itself gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from standins.goszakup import rows_contracts, rows_parties, rows_tenders
from standins.goszakup.bids import ring_turn
from standins.goszakup.columns import OPENING, Array, stamps, tenge
from standins.goszakup.contracts import THRESHOLD
from standins.goszakup.execution import PORTAL, listed_when_signed
from standins.goszakup.parties import RING_MEMBERS
from standins.goszakup.tenders import FIRST_SINGLE_BID_BUYER
from standins.goszakup.world import World

Truth = dict[str, Any]


def truths(world: World) -> list[Truth]:
    """One object per truth, each with its `kind`. Sums are tenge."""
    return [
        *_rings(world),
        *_splits(world),
        *_single_bid_buyers(world),
        *_inflated(world),
        *_listed(world),
        *_unproven(world),
        *_unsuccessful(world),
    ]


def _biins(world: World, index: Array) -> list[str]:
    return rows_parties.biins(world, np.asarray(index, dtype=np.int64))


def _contract_ids(world: World, deal: Array) -> list[int]:
    result: list[int] = world.ids["contract"].of(world.contracts.root_of_deal[deal]).tolist()
    return result


def _rings(world: World) -> list[Truth]:
    tenders, turn = world.tenders, ring_turn(world.tenders)
    result = []
    for ring in range(world.size.rings):
        members = np.arange(RING_MEMBERS) + world.parties.pool + ring * RING_MEMBERS
        mine = np.flatnonzero(tenders.ring == ring)
        names = _biins(world, members)
        result.append({
            "kind": "bidding_ring",
            "members": names,
            "buyer_bin": _biins(world, tenders.buyer[mine[:1]])[0],
            "tenders": [
                {
                    "trd_buy_id": world.ids["trd_buy"].one(tender),
                    "lot_ids": world.ids["lots"].of(_lots_of(world, tender)).tolist(),
                    "winner": names[turn[tender]],
                }
                for tender in mine.tolist()
            ],
        })  # fmt: skip
    return result


def _lots_of(world: World, tender: int) -> Array:
    first = int(world.tenders.first_lot[tender])
    return np.arange(first, first + int(world.tenders.lots[tender]))


def _splits(world: World) -> list[Truth]:
    result = []
    for split in range(world.size.splits):
        deals = np.flatnonzero(world.deals.split == split)
        result.append({
            "kind": "split_purchase",
            "buyer_bin": _biins(world, world.deals.buyer[deals[:1]])[0],
            "supplier_biin": _biins(world, world.deals.supplier[deals[:1]])[0],
            "contract_ids": _contract_ids(world, deals),
            "threshold": THRESHOLD // 100,
            "contract_sum": tenge(np.array([world.deals.sum[deals].sum()]))[0],
        })  # fmt: skip
    return result


def _single_bid_buyers(world: World) -> list[Truth]:
    result = []
    for buyer in range(FIRST_SINGLE_BID_BUYER, FIRST_SINGLE_BID_BUYER + world.size.single_bid_buyers):
        mine = np.flatnonzero((world.tenders.buyer == buyer) & (world.tenders.final < OPENING))
        if len(mine):
            ids = world.ids["trd_buy"].of(mine).tolist()
            result.append({
                "kind": "single_bid_buyer",
                "buyer_bin": _biins(world, np.array([buyer]))[0],
                "trd_buy_ids": ids,
            })  # fmt: skip
    return result


def _inflated(world: World) -> list[Truth]:
    deals = np.flatnonzero(world.deals.inflated)
    first, last = tenge(world.deals.sum[deals]), tenge(world.contracts.last_sum[deals])
    return [
        {"kind": "inflated_addenda", "root_id": root, "first_sum": one, "last_sum": other}
        for root, one, other in zip(_contract_ids(world, deals), first, last, strict=True)
    ]


def _listed(world: World) -> list[Truth]:
    """Contracts signed while the supplier was listed; and of each entry, the contract that was broken."""
    listed, deals = world.execution.sanctions, world.deals
    known = (listed.begins < OPENING) & (listed.ends > OPENING) & (listed.system == PORTAL)
    begins, suppliers = stamps(listed.begins), _biins(world, listed.supplier)
    result = [
        {"kind": "winner_entered_rnu", "supplier_biin": suppliers[entry], "entered": begins[entry],
         "contract_id": _contract_ids(world, listed.deal[[entry]])[0]}
        for entry in np.flatnonzero(known).tolist()
    ]  # fmt: skip
    for deal, entry in listed_when_signed(deals, listed):
        if known[entry] and deals.signed[deal] < OPENING:
            result.append({
                "kind": "signed_while_in_rnu",
                "supplier_biin": suppliers[entry],
                "entered": begins[entry],
                "contract_id": _contract_ids(world, np.array([deal]))[0],
                "signed": stamps(deals.signed[[deal]])[0],
            })  # fmt: skip
    return result


def _unproven(world: World) -> list[Truth]:
    paid = world.execution.payments
    result = []
    for deal in world.execution.unproven.tolist():
        amount = rows_contracts.with_tax(world, paid.deal[paid.deal == deal], paid.amount[paid.deal == deal])
        contract = _contract_ids(world, np.array([deal]))[0]
        result.append({"kind": "payment_without_act", "contract_id": contract, "pay_amount": tenge(amount)[0]})
    return result


def _unsuccessful(world: World) -> list[Truth]:
    tenders = world.tenders
    held = np.flatnonzero((tenders.final < OPENING) & (tenders.gone >= OPENING))
    status = rows_tenders.status_of_tenders(world, held)
    ids = world.ids["trd_buy"].of(held)
    return [
        {"kind": "failed_tenders", "trd_buy_ids": ids[status == rows_tenders.REFUSED].tolist()},
        {"kind": "cancelled_tenders", "trd_buy_ids": ids[status == rows_tenders.CANCELED].tolist()},
    ]
