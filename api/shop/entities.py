"""Which columns of sellers, products and customers can be written and read, by their contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from api.http.json_values import json_value
from conf.postgres_values import Unreadable, fault
from schemas.contract import Column, Contract, entities
from schemas.derive.validation import Finding, Reader

DOMAIN = "shop"
KEPT = ("created_at", "updated_at")
"""Columns that the database sets."""
UNREADABLE = "unreadable"
"""Member of an answer that says which columns cannot be shown, and why."""
DEFAULTS: dict[str, Any] = {"is_active": True}
"""What a client can leave out when it creates a row."""


@dataclass(frozen=True)
class Entity:
    """One kind of rows of the shop."""

    contract: Contract

    @property
    def plural(self) -> str:
        """In paths: ``products``."""
        return self.contract.table

    @property
    def one(self) -> str:
        """In sentences: ``product``."""
        return self.plural.removesuffix("s")

    @property
    def key(self) -> str:
        return self.contract.key[0]

    @cached_property
    def written(self) -> tuple[Column, ...]:
        """The columns that a client sets."""
        return tuple(c for c in self.contract.columns if c not in KEPT)

    @cached_property
    def sorted_by(self) -> tuple[str, ...]:
        """Columns by which a list can be sorted: those that every row has and that are not personal."""
        plain = (c for c in self.contract.columns if not c.optional and not c.personal)
        return tuple(c.name for c in plain if c.type.name != "FLAG")

    @cached_property
    def filters(self) -> tuple[Column, ...]:
        """By which a list can be filtered, for equality."""
        return tuple(c for c in self.contract.columns if c.type.name in ("ID", "CODE", "TEXT", "FLAG"))

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.contract, [c.name for c in self.written])

    def read(self, given: Any, *, partial: bool = False) -> tuple[dict[str, Any], list[Finding]]:
        """A client's row in its types, and what is wrong with it."""
        if isinstance(given, Mapping) and not partial:
            defaults = {name: value for name, value in DEFAULTS.items() if name in self.contract.columns}
            given = defaults | dict(given)
        return self._reader.read(given, datetime.now(UTC), partial=partial)

    def shown(self, row: Mapping[str, Any], *, personal: bool) -> dict[str, Any]:
        """A row as it is answered; personal columns are masked unless `personal`.

        What cannot be read is null, and its own member says why.
        """
        answer = {
            c.name: masked(c, row[c]) if c.personal and not personal else json_value(row[c])
            for c in self.contract.columns
        }  # fmt: skip
        bad = {c.name: fault(row[c]) for c in self.contract.columns if isinstance(row[c], Unreadable)}
        return answer | {UNREADABLE: bad} if bad else answer


def masked(column: Column, value: str | None) -> str | None:
    """A masked value: enough to tell two apart at a glance, and no more."""
    if not value or isinstance(value, Unreadable):
        return None if isinstance(value, Unreadable) else value
    if column.personal == "email":
        return f"{value[0]}***@***"
    if column.personal == "phone":
        return f"***{value[-2:]}"
    return f"{value[0]}***"


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Entity]:
    """The kinds of rows by their plural, as the contracts declare them."""
    kinds = (Entity(contract) for contract in entities(DOMAIN))
    return {entity.plural: entity for entity in kinds}
