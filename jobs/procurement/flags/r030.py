"""R030, late bid won; docs/reference/flags/R030.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import OCID, TENDERER, Common, Flag, Observation
from jobs.procurement.flags.process import Process


@dataclass(frozen=True)
class R030(Flag):
    """It has no settings of its own."""

    code: ClassVar[str] = "R030"

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:  # noqa: ARG002
        if process.period_end is None:
            return
        suppliers = {one for award in process.awards if award.status == "active" for one in award.supplier_ids}
        # Dates are compared as texts, as Cardinal does: a publisher writes all of them in one way.
        late = [bid for bid in process.bids if bid.status == "valid" and (bid.date or "") > process.period_end]
        winners = {one for bid in late for one in bid.tenderer_ids} & suppliers
        if winners:
            yield self.result(OCID, process.ocid)
            for winner in sorted(winners):
                yield self.result(TENDERER, winner)
