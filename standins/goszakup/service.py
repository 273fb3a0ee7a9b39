"""The answers of the service, as plain values: which listing or which object a path and its values name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import numpy as np

from standins.goszakup import rows_contracts, rows_parties, rows_tenders
from standins.goszakup.columns import Array, Row, instant
from standins.goszakup.execution import PORTAL
from standins.goszakup.journal import Journal
from standins.goszakup.listings import FixedRows, FoundRows, JournalDays, Listing, WholeRegister
from standins.goszakup.refs import BY_CODE, dictionaries
from standins.goszakup.registers import SHAPES, Register, registers
from standins.goszakup.routes import ROUTES, Route, subject_by_biin
from standins.goszakup.world import World

PARTS: dict[str, tuple[str, Callable[[World, int], list[Row]]]] = {
    "address": ("subject", rows_parties.addresses),
    "employees": ("subject", rows_parties.employees),
    "commission": ("trd_buy", rows_tenders.commission),
    "pause": ("trd_buy", rows_tenders.pauses),
    "cancel": ("trd_buy", rows_tenders.cancellations),
    "units": ("contract", rows_contracts.units),
}
"""Listings that belong to one row: its register, and the function that writes them."""

OF_THE_PAST = ("points_deleted", "rnu_detail")
"""These also tell of rows that have left their register."""


class NotFound(Exception):
    """What was asked for does not exist; the message is what the service says."""


class BadRequest(Exception):
    """The request cannot be understood; the message says why."""


@dataclass
class Service:
    """The world with its registers, as it is at the world's clock."""

    world: World
    registers: dict[str, Register] = field(init=False)
    journal: Journal = field(init=False)
    refs: dict[str, list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        self.registers = registers(self.world)
        self.journal = Journal(self.world, self.registers)
        self.refs = dictionaries()

    def render(self, shape: str) -> Callable[[Array], list[Row]]:
        """The function that writes rows of this shape."""
        return partial(SHAPES[shape][1], self.world)

    def listing(self, route: Route, value: str, query: Mapping[str, str]) -> Listing:
        """What a paged path walks over; `value` is the path's own value, or empty. Raises BadRequest and NotThere."""
        if route.shape == "journal":
            return JournalDays(self.journal, *self.journal.between(_day(query, "date_from"), _day(query, "date_to")))
        if route.shape == "refs":
            name = route.path.rpartition("/")[2]
            return FixedRows(self.refs[name], "code" if name in BY_CODE else "id")
        if route.shape in PARTS:
            name, write = PARTS[route.shape]
            owner = self._find_rows(route, name, value)
            return FixedRows(write(self.world, int(owner[0])) if len(owner) else [], "id")
        name, _ = SHAPES[route.shape]
        render, register = self.render(route.shape), self.registers[name]
        if route.find is None:
            return WholeRegister(register, render, self.world.clock)
        indexes = self._find_rows(route, name, value)
        if route.shape == "rnu_detail" and not len(indexes) and self._listed_elsewhere(value):
            raise NotFound("Поставщик не найден")
        return FoundRows(register, render, self.world.clock, indexes)

    def object(self, route: Route, value: str) -> Row:
        """The one row that a path names; raises NotThere."""
        name, _ = SHAPES[route.shape]
        indexes = self._find_rows(route, name, value)
        if not len(indexes):
            raise NotFound("Компания не найдена" if name == "subject" else "Запись не найдена")
        return self.render(route.shape)(indexes[:1])[0]

    def ref(self, name: str, key: str) -> Row:
        """One item of a dictionary, by its id or its code; raises NotThere."""
        for row in self.refs.get(name, []):
            if key in (str(row.get("id")), row.get("code")):
                return row
        raise NotFound("Запись не найдена")

    def counts(self) -> dict[str, int]:
        """The rows that a full walk of each path without values yields now; all of them are different rows."""
        return {
            route.path: self.listing(route, "", {}).total
            for route in ROUTES
            if route.answer == "page" and "{" not in route.path and route.shape != "journal"
        }

    def _find_rows(self, route: Route, name: str, value: str) -> Array:
        assert route.find, f"{route.path} says nothing about how its rows are found"
        indexes = route.find(self.world, value)
        if route.shape in OF_THE_PAST:
            return indexes
        indexes = indexes[indexes < len(self.registers[name].created)]
        return self.registers[name].present(indexes, self.world.clock)

    def _listed_elsewhere(self, biin: str) -> bool:
        listed = self.world.execution.sanctions
        subject = subject_by_biin(self.world, biin)
        return bool(np.any(np.isin(listed.supplier, subject) & (listed.system != PORTAL)))


def _day(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        return instant(date.fromisoformat(text).isoformat())
    except ValueError:
        raise BadRequest(f"{name}: {text!r}, ожидается ГГГГ-ММ-ДД") from None
