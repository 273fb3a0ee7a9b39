"""R028, identical bid prices; docs/reference/flags/R028.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import OCID, TENDERER, Common, Flag, Observation
from jobs.procurement.flags.process import Process


@dataclass(frozen=True)
class R028(Flag):
    """It has no settings of its own."""

    code: ClassVar[str] = "R028"

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:
        if not common.compares_prices(process):
            return
        bidders: dict[tuple[float, str], frozenset[str]] = {}
        flagged: set[str] = set()
        for bid in process.submitted_bids:
            if bid.amount is None or bid.currency is None or not (ids := bid.tenderer_ids):
                continue
            # The same tenderers may hand in several bids of one price.
            others = bidders.get((bid.amount, bid.currency), ids)
            if ids != others:
                flagged |= ids | others
            bidders[bid.amount, bid.currency] = ids
        if flagged:
            yield self.result(OCID, process.ocid)
            for tenderer in sorted(flagged):
                yield self.result(TENDERER, tenderer)
