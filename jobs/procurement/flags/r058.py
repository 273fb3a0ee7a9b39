"""R058, heavily discounted bid; docs/reference/flags/R058.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import OCID, TENDERER, Common, Conclusion, Flag, Measure, Observation, Result
from jobs.procurement.flags.process import Process
from jobs.procurement.flags.second_lowest_bid import first_currency, second_lowest
from jobs.procurement.flags.statistics import upper_limit


@dataclass(frozen=True)
class R058(Flag):
    """`threshold` replaces the fence."""

    code: ClassVar[str] = "R058"
    threshold: float | None = None

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:
        if compared := second_lowest(process, common):
            ratio, winner, _ = compared
            yield Observation(self.code, "ratio", process.ocid, ratio, 1, winner)

    def observed_currency(self, process: Process, common: Common) -> str | None:
        return first_currency(process, common)

    def conclude(self, measures: Sequence[Measure]) -> Conclusion:
        limit = upper_limit([one.numerator for one in measures], self.threshold)
        concluded = Conclusion(limits=limit.figures)
        for one in measures:
            if limit.decides and one.numerator >= limit.fence:
                concluded.results.append(Result(OCID, one.subject, one.numerator))
                concluded.results.append(Result(TENDERER, one.detail, 0.0))
        return concluded
