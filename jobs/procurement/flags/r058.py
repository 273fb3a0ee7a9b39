"""R058, heavily discounted bid; docs/reference/flags/R058.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import OCID, TENDERER, Common, Conclusion, Flag, Measure, Observation, Result
from jobs.procurement.flags.process import Process
from jobs.procurement.flags.second_lowest_bid import first_currency, second_lowest
from jobs.procurement.flags.statistics import quartiles, upper_fence


@dataclass(frozen=True)
class R058(Flag):
    """`threshold` replaces the fence."""

    code: ClassVar[str] = "R058"
    compares_amounts: ClassVar[bool] = True
    threshold: float | None = None

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:
        if compared := second_lowest(process, common):
            ratio, winner, _ = compared
            yield Observation(self.code, "ratio", process.ocid, ratio, 1, winner)

    def observed_currency(self, process: Process, common: Common) -> str | None:
        return first_currency(process, common)

    def conclude(self, measures: Sequence[Measure]) -> Conclusion:
        limits: dict[str, float] = {}
        fence = self.threshold
        if fence is None:
            q1, q3 = quartiles([one.numerator for one in measures])
            fence = upper_fence(q1, q3)
            limits = {"q1": q1, "q3": q3}
        concluded = Conclusion(limits=limits | {"upper_fence": fence})
        # Without a difference in three quarters of the processes, these would all be flagged.
        if fence > 0:
            for one in measures:
                if one.numerator >= fence:
                    concluded.results.append(Result(OCID, one.subject, one.numerator))
                    concluded.results.append(Result(TENDERER, one.detail, 0.0))
        return concluded
