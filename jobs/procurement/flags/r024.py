"""R024, price close to winning bid; docs/reference/flags/R024.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import OCID, TENDERER, Common, Conclusion, Flag, Measure, Observation, Result
from jobs.procurement.flags.process import Process
from jobs.procurement.flags.second_lowest_bid import first_currency, second_lowest
from jobs.procurement.flags.statistics import lower_limit

SEPARATOR = "\x1f"


@dataclass(frozen=True)
class R024(Flag):
    """`threshold` replaces the fence."""

    code: ClassVar[str] = "R024"
    threshold: float | None = None

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:
        if compared := second_lowest(process, common):
            ratio, winner, other = compared
            yield Observation(self.code, "ratio", process.ocid, ratio, 1, SEPARATOR.join((winner, other)))

    def observed_currency(self, process: Process, common: Common) -> str | None:
        return first_currency(process, common)

    def conclude(self, measures: Sequence[Measure]) -> Conclusion:
        limit = lower_limit([one.numerator for one in measures], self.threshold)
        concluded = Conclusion(limits=limit.figures)
        for one in measures:
            if limit.decides and one.numerator <= limit.fence:
                concluded.results.append(Result(OCID, one.subject, one.numerator))
                concluded.results += [Result(TENDERER, each, 0.0) for each in one.detail.split(SEPARATOR)]
        return concluded
