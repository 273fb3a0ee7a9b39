"""R048, heterogeneous supplier; docs/reference/flags/R048.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import TENDERER, Common, Conclusion, Flag, Measure, Observation, Result
from jobs.procurement.flags.process import Process
from jobs.procurement.flags.statistics import upper_limit


@dataclass(frozen=True)
class R048(Flag):
    """Two items are of one kind where the first `digits` of their codes are the same."""

    code: ClassVar[str] = "R048"
    digits: int = 2
    threshold: int | None = None
    minimum_contracting_processes: int = 20

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:  # noqa: ARG002
        kinds = {
            (award.supplier, code[: self.digits])
            for award in process.awards
            if award.status == "active" and award.supplier is not None
            for code in award.classifications
        }
        for supplier, kind in sorted(kinds):
            yield Observation(self.code, "kinds", supplier, detail=kind)
        for supplier in sorted({supplier for supplier, _ in kinds}):
            yield Observation(self.code, "processes", supplier, 1)

    def conclude(self, measures: Sequence[Measure]) -> Conclusion:
        least = self.minimum_contracting_processes
        known = {one.subject for one in measures if one.part == "processes" and one.numerator >= least}
        kinds = {one.subject: float(one.distinct) for one in measures if one.part == "kinds" and one.subject in known}
        limit = upper_limit(list(kinds.values()), self.threshold)
        # As Cardinal does: a variety is at least 1, so no fence of zero has to be kept from deciding.
        return Conclusion([Result(TENDERER, w, n) for w, n in kinds.items() if n >= limit.fence], limit.figures)
