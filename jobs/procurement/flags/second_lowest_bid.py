"""How far the lowest other bid is from the winning one: what R024 and R058 are about."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.procurement.flags.flag import Common
from jobs.procurement.flags.process import Process

Offer = tuple[str, float, str]
"""Tenderer, amount, currency."""


def offers(process: Process, common: Common) -> Iterator[Offer]:
    """The valid bids of single tenderers, where the only active award, all awards being final, has one supplier.

    One award means that all bids compete for all items; cancelled and unsuccessful ones were earlier attempts.
    """
    if not common.compares_prices(process) or process.single_supplier is None:
        return
    for bid in process.bids:
        if bid.status == "valid" and bid.tenderer is not None and bid.amount is not None and bid.currency is not None:
            yield bid.tenderer, bid.amount, bid.currency


def second_lowest(process: Process, common: Common) -> tuple[float, str, str] | None:
    """(lowest other bid - winning bid) / winning bid, the winner and the other bidder.

    None where that cannot be computed: no such bids, the lowest bid did not win (so price was not all that counted), or
    the winner asks nothing.
    """
    winner, winning, other, lowest = process.single_supplier, None, "", None
    for tenderer, amount, currency in offers(process, common):
        if currency != common.currency:
            continue
        if tenderer == winner:
            winning = amount if winning is None or amount < winning else winning
        elif lowest is None or amount < lowest:
            other, lowest = tenderer, amount
    if winner is None or winning is None or lowest is None or lowest < winning or winning == 0:
        return None
    return (lowest - winning) / winning, winner, other


def first_currency(process: Process, common: Common) -> str | None:
    return next((currency for _, _, currency in offers(process, common)), None)
