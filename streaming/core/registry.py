"""What becomes of each topic's records. A domain is added by a module with one decorated function or one call; no list
is edited."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from schemas.contract import Contract, contract
from streaming.core import parse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Step = Callable[["DataFrame"], "DataFrame"]


@dataclass(frozen=True)
class Branch:
    """How one silver table is filled.

    `exploded` makes of raw records one row a line (`line_no`, `line`, the envelope), with a null line for a record that
    must be refused; `clean` makes of these the table's rows; `refused` says why of the records that it must refuse.
    `types` are the event types that it takes; none stands for all.
    """

    silver: Contract
    exploded: Step
    clean: Step
    refused: Step
    types: frozenset[str] = frozenset()

    @property
    def corrections(self) -> Contract | None:
        """The table of those of its events that a later one has superseded, where it has one."""
        return self.silver.superseded_by

    def rows(self, raw: DataFrame) -> DataFrame:
        """The table's rows of those records that keep all rules."""
        return self.clean(self.exploded(raw).where("line IS NOT NULL"))


@dataclass(frozen=True)
class Domain:
    """What the lanes need to know of a topic. Without a live lane, ClickHouse gets its rows by way of the lake."""

    source: Contract
    bronze: Contract
    quarantine: Contract
    branches: tuple[Branch, ...]
    is_live: bool = True

    @property
    def name(self) -> str:
        return self.bronze.domain

    @property
    def topic(self) -> str:
        return self.source.topic

    @property
    def tables(self) -> tuple[Contract, ...]:
        """Every Delta table that the streams write for it."""
        return self.bronze, *(branch.silver for branch in self.branches), *self.corrections, self.quarantine

    @property
    def corrections(self) -> tuple[Contract, ...]:
        """The tables that say which events of others no longer hold."""
        return tuple(branch.corrections for branch in self.branches if branch.corrections is not None)

    @property
    def is_typed(self) -> bool:
        """Whether records are told apart by their event type."""
        return any(branch.types for branch in self.branches)


_registered: dict[str, Domain] = {}


def register(domain: Domain) -> None:
    """Make a domain known. Raises ValueError where a table would be filled twice."""
    known = {branch.silver.name for other in _registered.values() for branch in other.branches}
    for branch in domain.branches:
        if branch.silver.name in known:
            raise ValueError(f"{branch.silver.name} is cleaned twice")
    _registered[domain.name] = domain


def cleans(silver: type, *, quarantine: type) -> Callable[[Step], Step]:
    """Register the function that makes the rows of `silver` from the accepted events of its topic.

    It gets one row an event: the envelope, the parsed fields as the struct `e`, and each list exploded by
    `streaming.core.parse`; it returns the contract's columns. Bronze and the event follow from `built_from`.
    """

    def registered(function: Step) -> Step:
        made = contract(silver)
        (bronze,) = made.built_from
        (event,) = bronze.built_from
        branch = Branch(made, partial(parse.exploded, event=event), function, partial(parse.refused, event=event))
        register(Domain(event, bronze, contract(quarantine), (branch,)))
        return function

    return registered


def domains() -> tuple[Domain, ...]:
    """Every registered domain, found by importing what stands in `streaming/`."""
    import streaming

    for module in pkgutil.iter_modules(streaming.__path__):
        if module.name != "run":
            importlib.import_module(f"streaming.{module.name}")
    return tuple(_registered[name] for name in sorted(_registered))
