"""What a domain declares of the fields that its sources send, so that a change of them is noticed.

A module of ``jobs/<domain>/`` declares a catalog; `jobs.commands.drift` compares bronze with every catalog there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.core.registry import import_domains
from schemas.contract import Contract


@dataclass(frozen=True)
class Register:
    """A register of a source. Some row of it must have each `documented` field; no `known` field is news."""

    event_type: str
    documented: tuple[str, ...]
    known: frozenset[str]


@dataclass(frozen=True)
class FieldCatalog:
    """The registers of a domain by name. The second part of an event's id names the register of a row.

    `file` is where a field is added.
    """

    bronze: Contract
    file: str
    registers: Mapping[str, Register]

    @property
    def domain(self) -> str:
        return self.bronze.domain

    @property
    def event_types(self) -> list[str]:
        return sorted({register.event_type for register in self.registers.values()})


_registered: dict[str, FieldCatalog] = {}


def watches_fields(catalog: FieldCatalog) -> FieldCatalog:
    """Register the catalog of a domain. Raises ValueError for a second one."""
    if _registered.setdefault(catalog.domain, catalog) is not catalog:
        raise ValueError(f"{catalog.domain} has two field catalogs")
    return catalog


def field_catalogs() -> dict[str, FieldCatalog]:
    """Domain → its catalog, found by importing every module of every domain."""
    import_domains()
    return dict(sorted(_registered.items()))
