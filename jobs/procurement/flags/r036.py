"""R036, lowest bid disqualified; docs/reference/flags/R036.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import OCID, Common, Flag, Observation
from jobs.procurement.flags.process import Bid, Process


@dataclass(frozen=True)
class R036(Flag):
    """It has no settings of its own."""

    code: ClassVar[str] = "R036"

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:
        bids = [bid for bid in _offers(process, common) if bid.currency == common.currency]
        if not any(bid.status == "valid" for bid in bids):
            return
        # Of equal amounts the first bid counts.
        lowest = min(bids, key=lambda bid: bid.amount or 0.0)
        if lowest.status == "disqualified":
            yield self.result(OCID, process.ocid)

    def observed_currency(self, process: Process, common: Common) -> str | None:
        return next((bid.currency for bid in _offers(process, common)), None)


def _offers(process: Process, common: Common) -> Iterator[Bid]:
    if not common.compares_prices(process) or not any(award.status == "active" for award in process.awards):
        return
    for bid in process.submitted_bids:
        if bid.amount is not None and bid.currency is not None:
            yield bid
