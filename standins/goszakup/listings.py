"""What a paged path walks over. A listing has positions that fall along the walk, and a cursor for each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from standins.goszakup.columns import Array, Row
from standins.goszakup.journal import Journal
from standins.goszakup.registers import Register
from standins.goszakup.routes import number


class BadCursor(Exception):
    """The cursor of a request is none of this listing's."""


class Listing(Protocol):
    """Positions are whole numbers; a walk takes them from the highest down."""

    @property
    def total(self) -> int:
        """How many rows a whole walk yields."""

    def start(self) -> int:
        """The position above the first row."""

    def below(self, cursor: str) -> int:
        """The position that a walk goes on below, after the row of this cursor; raises BadCursor."""

    def take(self, before: int, n: int) -> Array:
        """At most `n` positions below `before`, the highest first."""

    def ahead(self, before: int, n: int) -> Array:
        """The `n` positions of the page that comes just before, the highest first."""

    def rows(self, positions: Array) -> list[Row]:
        """The rows at these positions."""

    def cursor(self, position: int) -> str:
        """The cursor of the row at this position."""


def _number(cursor: str) -> int:
    position = number(cursor)
    if position < 0:
        raise BadCursor(f"search_after is {cursor!r}; expected the id of the last row of a page.")
    return position


@dataclass
class WholeRegister:
    """All rows of a register."""

    register: Register
    render: Callable[[Array], list[Row]]
    clock: int

    @property
    def total(self) -> int:
        return self.register.count(self.clock)

    def start(self) -> int:
        return self.register.seen(self.clock)

    def below(self, cursor: str) -> int:
        return self.register.ids.below(_number(cursor))

    def take(self, before: int, n: int) -> Array:
        return self.register.last(before, n, self.clock)

    def ahead(self, before: int, n: int) -> Array:
        top = min(self.start(), before + n + 8)
        return self.register.present(np.arange(top - 1, before - 1, -1), self.clock)[-n:]

    def rows(self, positions: Array) -> list[Row]:
        return self.render(positions)

    def cursor(self, position: int) -> str:
        return str(self.register.ids.one(position))


@dataclass
class FoundRows(WholeRegister):
    """Some rows of a register, given by descending row numbers."""

    index: Array

    @property
    def total(self) -> int:
        return len(self.index)

    def start(self) -> int:
        return int(self.index[0]) + 1 if len(self.index) else 0

    def take(self, before: int, n: int) -> Array:
        return self.index[self.index < before][:n]

    def ahead(self, before: int, n: int) -> Array:
        return self.index[self.index >= before][-n:]


@dataclass
class FixedRows:
    """A short list of rows, walked in its own order; `key` is the field that serves as cursor."""

    items: list[Row]
    key: str

    @property
    def total(self) -> int:
        return len(self.items)

    def start(self) -> int:
        return len(self.items)

    def below(self, cursor: str) -> int:
        for place, row in enumerate(self.items):
            if str(row[self.key]) == cursor:
                return len(self.items) - 1 - place
        raise BadCursor(f"search_after is {cursor!r}; no row has this {self.key}.")

    def take(self, before: int, n: int) -> Array:
        return np.arange(before - 1, max(0, before - n) - 1, -1)

    def ahead(self, before: int, n: int) -> Array:
        return np.arange(min(self.start(), before + n) - 1, before - 1, -1)

    def rows(self, positions: Array) -> list[Row]:
        return [self.items[len(self.items) - 1 - position] for position in positions.tolist()]

    def cursor(self, position: int) -> str:
        return str(self.items[len(self.items) - 1 - position][self.key])


@dataclass
class JournalDays:
    """The journal from place `low` to before place `high`."""

    journal: Journal
    low: int
    high: int

    @property
    def total(self) -> int:
        return self.high - self.low

    def start(self) -> int:
        return self.high

    def below(self, cursor: str) -> int:
        return min(self.high, _number(cursor))

    def take(self, before: int, n: int) -> Array:
        return np.arange(before - 1, max(self.low, before - n) - 1, -1)

    def ahead(self, before: int, n: int) -> Array:
        return np.arange(min(self.high, before + n) - 1, before - 1, -1)

    def rows(self, positions: Array) -> list[Row]:
        return self.journal.rows(positions)

    def cursor(self, position: int) -> str:
        return str(position)
