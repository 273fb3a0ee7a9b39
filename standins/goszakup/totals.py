"""True figures of the world at its clock, computed from its tables and not from its answers. Money is tiyn."""

from __future__ import annotations

from typing import Any

import numpy as np

from standins.goszakup import rows_contracts, rows_tenders
from standins.goszakup.columns import Array, stamps
from standins.goszakup.registers import registers
from standins.goszakup.world import World


def _by(codes: Array, values: Array | None = None) -> dict[str, int]:
    """Counts, or sums of whole numbers, by code."""
    unique_codes, place = np.unique(codes, return_inverse=True)
    sums = [int((np.ones(len(codes), dtype=np.int64) if values is None else values)[place == k].sum())
            for k in range(len(unique_codes))]  # fmt: skip
    return {str(code): total for code, total in zip(unique_codes.tolist(), sums, strict=True)}


def totals(world: World) -> dict[str, Any]:
    """What a full copy of the registers must add up to."""
    held = registers(world)

    def now(name: str) -> Array:
        register = held[name]
        return register.present(np.arange(register.seen(world.clock)), world.clock)

    contract, lot, tender, bid = now("contract"), now("lots"), now("trd_buy"), now("trd_app")
    deal = world.contracts.deal[contract]
    status = rows_contracts.status_of_contracts(world, contract)
    taxed = rows_contracts.with_tax(world, deal, world.contracts.sum[contract])
    paid = now("payments")
    deals_paid = world.execution.payments.deal[paid]
    winners = rows_tenders.status_of_lots(world, lot)
    [clock] = stamps(np.array([world.clock]))
    return {
        "day": world.day,
        "clock": clock,
        "contracts_by_status": _by(status),
        "contract_sum_by_status": _by(status, world.contracts.sum[contract]),
        "contract_sum_wnds_by_status": _by(status, taxed),
        "contracts_first": int(np.count_nonzero(world.contracts.place[contract] == 0)),
        "contracts_deleted": int(np.count_nonzero(rows_contracts.deleted_at(world, contract) <= world.clock)),
        "lots_by_status": _by(winners),
        "lots_amount": int(world.lots.amount[lot].sum()),
        "tenders_by_status": _by(rows_tenders.status_of_tenders(world, tender)),
        "offers": int(world.bids.offers[bid].astype(np.int64).sum()),
        "suppliers_that_bid": len(np.unique(world.bids.supplier[bid])),
        "pay_amount": int(rows_contracts.with_tax(world, deals_paid, world.execution.payments.amount[paid]).sum()),
        "points_amount": int((world.points.price * world.points.count)[now("points")].sum()),
    }
