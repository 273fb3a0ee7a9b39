"""R035, all except winning bid disqualified; docs/reference/flags/R035.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import OCID, TENDERER, Common, Flag, Observation
from jobs.procurement.flags.process import Process


@dataclass(frozen=True)
class R035(Flag):
    """`threshold` is the number of disqualified tenderers from which on it is raised, at least 1."""

    code: ClassVar[str] = "R035"
    threshold: int = 1

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:  # noqa: ARG002
        awards = process.complete_awards
        if awards is None:
            return
        suppliers = {one for award in awards for one in award.supplier_ids}
        valid = {one for bid in process.bids if bid.status == "valid" for one in bid.tenderer_ids}
        disqualified = {one for bid in process.bids if bid.status == "disqualified" for one in bid.tenderer_ids}
        others = len(disqualified - valid)
        if len(valid) == 1 and valid == suppliers and others >= max(self.threshold, 1):
            yield self.result(OCID, process.ocid, float(others))
            yield self.result(TENDERER, next(iter(valid)), 0.0)
