"""R003, short submission period; docs/reference/flags/R003.md has the methodology."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from jobs.procurement.flags.flag import OCID, Common, Flag, Observation
from jobs.procurement.flags.process import Process

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class R003(Flag):
    """`threshold` is in days; `procurement_method_details` has other thresholds for methods of the publisher's."""

    code: ClassVar[str] = "R003"
    SECTIONS: ClassVar[tuple[str, ...]] = ("procurement_method_details",)
    threshold: int = 15
    procurement_methods: frozenset[str] = frozenset()
    procurement_method_details: Mapping[str, int] = field(default_factory=dict)

    def observe(self, process: Process, common: Common) -> Iterator[Observation]:  # noqa: ARG002
        if self.procurement_methods and process.method not in self.procurement_methods:
            return
        start, end = _instant(process.period_start), _instant(process.period_end)
        if start is None or end is None:
            return
        days = int((end - start).total_seconds() / 86_400)
        if days < self.procurement_method_details.get(process.method_details or "", self.threshold):
            yield self.result(OCID, process.ocid)


def _instant(text: str | None) -> datetime | None:
    """An instant with its zone; what does not say its zone or its seconds is none."""
    if text is None or not RFC3339.fullmatch(text):
        return None
    # Python takes six digits of a second; what is cut off is less than a microsecond.
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError:
        return None
