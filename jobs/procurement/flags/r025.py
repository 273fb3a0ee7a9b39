"""R025, excessive unsuccessful bids; docs/reference/flags/R025.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import TENDERER, Common, Conclusion, Flag, Measure, Observation, Result
from jobs.procurement.flags.process import Process
from jobs.procurement.flags.statistics import lower_limit, quantile


@dataclass(frozen=True)
class R025(Flag):
    """`percentile` says who bids much, `threshold` replaces the fence of the share of bids that win."""

    code: ClassVar[str] = "R025"
    percentile: int = 75
    threshold: float | None = None

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:  # noqa: ARG002
        supplier = process.single_supplier
        if supplier is None:
            return
        for tenderer in sorted(
            {bid.tenderer for bid in process.bids if bid.status == "valid" and bid.tenderer is not None}
        ):
            yield Observation(self.code, "tenderer", tenderer, float(tenderer == supplier), 1)

    def conclude(self, measures: Sequence[Measure]) -> Conclusion:
        top = quantile([one.denominator for one in measures], self.percentile / 100)
        limit = lower_limit([one.ratio for one in measures], self.threshold)
        flagged = [
            Result(TENDERER, one.subject, one.ratio)
            for one in measures
            if limit.decides and one.denominator >= top and one.ratio <= limit.fence
        ]
        return Conclusion(flagged, limit.figures | {"upper_fence": top})
