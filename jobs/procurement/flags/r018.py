"""R018, single bid received; docs/reference/flags/R018.md has the methodology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from jobs.procurement.flags.flag import OCID, Common, Flag, Observation
from jobs.procurement.flags.process import Process


@dataclass(frozen=True)
class R018(Flag):
    """An empty set of methods stands for all of them."""

    code: ClassVar[str] = "R018"
    procurement_methods: frozenset[str] = frozenset({"open", "selective"})

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:  # noqa: ARG002
        is_competitive = not self.procurement_methods or process.method in self.procurement_methods
        if is_competitive and process.tenderer_count == 1:
            yield self.result(OCID, process.ocid)
