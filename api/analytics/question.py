"""A question about a gold table: fixed SQL, and values that ClickHouse binds by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.http.parameters import Parameter, Parameters, limit
from schemas.contract import Column, Contract

DEFAULT_ROWS, MAX_ROWS = 100, 10_000
PERIOD = {"since": ">=", "until": "<="}


@dataclass(frozen=True)
class Question:
    """One question: of which table, by which columns it is grouped (by none where rows are returned as they are).

    `sums` are the columns that add up over what is grouped: the same customer, for example, comes on several days.
    `constants` have one value in all rows of a group. `filters` are parameters that name a column, for equality, or
    ``since`` and ``until``, which compare with the column `day`. `order_with` is another order where a parameter is
    given. `operation` names the question in OpenAPI where its path says too little.
    """

    name: str
    summary: str
    table: Contract
    order: str
    filters: tuple[Parameter, ...]
    by: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    day: str = ""
    order_with: Mapping[str, str] = field(default_factory=dict)
    about: str = ""
    operation: str = ""

    @property
    def parameters(self) -> Parameters:
        return Parameters(*self.filters, limit(DEFAULT_ROWS, MAX_ROWS))

    def columns(self) -> tuple[Column, ...]:
        """What is answered, in order."""
        if not self.by:
            return self.table.serving_columns
        return tuple(self.table.column(name) for name in (*self.by, *self.sums, *self.constants))

    def sql(self, given: Mapping[str, Any]) -> str:
        """The statement for those parameters that were given; no value stands in it."""
        if self.by:
            picked = [f"t.{name} AS {name}" for name in self.by] + [f"sum(t.{name}) AS {name}" for name in self.sums]
            picked += [f"any(t.{name}) AS {name}" for name in self.constants]
            grouped = f" GROUP BY {', '.join(f't.{name}' for name in self.by)}"
        else:
            picked, grouped = [f"t.{c} AS {c}" for c in self.columns()], ""
        conditions = [self._condition(each.name) for each in self.filters if each.name in given]
        order = next((order for name, order in self.order_with.items() if name in given), self.order)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return (
            f"SELECT {', '.join(picked)} FROM {self.table.name} AS t{where}{grouped}"
            f" ORDER BY {order} LIMIT {{limit:UInt32}}"
        )

    def _condition(self, name: str) -> str:
        if name in PERIOD:
            return f"t.{self.day} {PERIOD[name]} {{{name}:Date32}}"
        return f"t.{name} = {{{name}:String}}"
