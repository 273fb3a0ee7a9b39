"""R038, excessive disqualified bids; docs/reference/flags/R038.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import (
    BUYER,
    ORGANISER,
    TENDERER,
    Common,
    Conclusion,
    Flag,
    Measure,
    Observation,
    Result,
)
from jobs.procurement.flags.process import Process
from jobs.procurement.flags.statistics import upper_limit

PARTS = {"by buyer": BUYER, "by organiser": ORGANISER, "by tenderer": TENDERER}


@dataclass(frozen=True)
class R038(Flag):
    """`threshold` replaces the fence. Both minimums are numbers of submitted bids, as they are in Cardinal's code."""

    code: ClassVar[str] = "R038"
    threshold: float | None = None
    minimum_submitted_bids: int = 2
    minimum_contracting_processes: int = 2

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:  # noqa: ARG002
        bids = process.submitted_bids
        disqualified = sum(bid.status == "disqualified" for bid in bids)
        for bid in bids:
            for tenderer in bid.tenderers or ():
                if tenderer is not None:
                    yield Observation(self.code, "by tenderer", tenderer, float(bid.status == "disqualified"), 1)
        for part, subject in (("by buyer", process.buyer_id), ("by organiser", process.organiser_id)):
            if bids and subject is not None:
                yield Observation(self.code, part, subject, disqualified, len(bids))

    def conclude(self, measures: Sequence[Measure]) -> Conclusion:
        concluded = Conclusion()
        for part, group in PARTS.items():
            least = self.minimum_submitted_bids if group == TENDERER else self.minimum_contracting_processes
            ratios = {one.subject: one.ratio for one in measures if one.part == part and one.denominator >= least}
            if not ratios:
                continue
            limit = upper_limit(list(ratios.values()), self.threshold)
            concluded.limits |= {f"{group}_{name}": figure for name, figure in limit.figures.items()}
            concluded.results += [
                Result(group, who, ratio) for who, ratio in ratios.items() if limit.decides and ratio >= limit.fence
            ]
        return concluded
