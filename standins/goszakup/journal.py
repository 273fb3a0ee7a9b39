"""The journal: which rows came, changed or left on which day. It reaches thirty days back behind the opening."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from standins.goszakup.columns import DAY, OPENING, Array, Row, stamps
from standins.goszakup.registers import Register
from standins.goszakup.rows_parties import biins
from standins.goszakup.world import World

KEPT_DAYS = 30
SHOWN_DAYS = 7
"""Without dates the journal shows so many days."""


@dataclass
class Journal:
    """Entries by time, each with its place since the first day that is kept: one a row and day, the last event of it.

    A row that came, or changed, is told as U; one that left as D.
    """

    world: World
    registers: Mapping[str, Register]

    def __post_init__(self) -> None:
        self._upto = OPENING - KEPT_DAYS * DAY
        self._which = np.zeros(0, dtype=np.int8)
        self._index = np.zeros(0, dtype=np.int64)
        self._time = np.zeros(0, dtype=np.int64)
        self._left = np.zeros(0, dtype=bool)

    def between(self, begins: int | None, ends: int | None) -> tuple[int, int]:
        """The places of the entries from the day `begins` to the day `ends` inclusive, as their midnights."""
        self._follow()
        today = self.world.clock // DAY * DAY
        first = begins if begins is not None else (ends if ends is not None else today) - (SHOWN_DAYS - 1) * DAY
        last = ends if ends is not None else today
        low, high = np.searchsorted(self._time, [first, last + DAY])
        return int(low), int(max(low, high))

    def rows(self, places: Array) -> list[Row]:
        """The entries at these places."""
        names = list(self.registers)
        entries: list[Row] = []
        at = stamps(self._time[places])
        for place, when in zip(places.tolist(), at, strict=True):
            name, index = names[self._which[place]], int(self._index[place])
            register = self.registers[name]
            number = register.ids.one(index)
            gone = bool(self._left[place])
            biin, object_id = "", str(number)
            if name == "rnu":
                listed = self.world.execution.sanctions
                biin = biins(self.world, listed.supplier[[index]])[0]
                object_id = f"{listed.system[index]}-{number}"
            entries.append({
                "object_id": object_id,
                "action": "D" if gone else "U",
                "date_action": when,
                "service_name": register.service,
                "service_title": register.title,
                "url": "" if gone else register.detail.format(id=number, biin=biin),
            })  # fmt: skip
        return entries

    def _follow(self) -> None:
        """Take in the days that are over since the last look."""
        if self._upto > self.world.clock:
            return
        start, stop = self._upto, self.world.clock
        parts: list[tuple[Array, Array, Array, Array]] = []
        for which, register in enumerate(self.registers.values()):
            gone = register.gone if register.gone is not None else np.zeros(0, dtype=np.int64)
            for leaves, times in ((False, register.created), *((False, t) for t in register.times()), (True, gone)):
                index = np.flatnonzero((times >= start) & (times <= stop))
                index = index[register.created[index] <= stop]
                n = len(index)
                parts.append((np.full(n, which, dtype=np.int8), index, times[index], np.full(n, leaves)))
        kind, index, time, left = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.lexsort((left, time, index, kind, time // DAY))
        kind, index, time, left = kind[order], index[order], time[order], left[order]
        # Of several events of a row on one day the last tells all.
        same = (kind[1:] == kind[:-1]) & (index[1:] == index[:-1]) & (time[1:] // DAY == time[:-1] // DAY)
        last = np.append(~same, True)[: len(kind)]
        kind, index, time, left = kind[last], index[last], time[last], left[last]
        order = np.lexsort((index, kind, time))
        self._which = np.concatenate([self._which, kind[order]])
        self._index = np.concatenate([self._index, index[order]])
        self._time = np.concatenate([self._time, time[order]])
        self._left = np.concatenate([self._left, left[order]])
        self._upto = stop + 1
