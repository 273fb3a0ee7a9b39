"""A domain as the lanes see it: its topic, its tables, and how each of its silver tables is filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.contract import Contract

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Step = Callable[["DataFrame"], "DataFrame"]


@dataclass(frozen=True)
class Branch:
    """How one silver table is filled.

    `exploded` turns raw records into one row a line (`line_no`, `line`, the envelope), with a null line for a record
    that must be refused. `clean` turns these into the table's rows. `refused` gives the reasons of refused records.
    `types` are the event types that it takes; none stands for all.

    Of several tables that take the same events, one is `main`: an event is accepted when it is in that table, and
    copies of an event are found there. The others take the same events.
    """

    silver: Contract
    exploded: Step
    clean: Step
    refused: Step
    types: frozenset[str] = frozenset()
    main: bool = True

    @property
    def corrections(self) -> Contract | None:
        """The table that lists its superseded events, where there is one."""
        return self.silver.superseded_by

    def rows(self, raw: DataFrame) -> DataFrame:
        """The table's rows of the records that keep all rules."""
        return self.clean(self.exploded(raw).where("line IS NOT NULL"))


@dataclass(frozen=True)
class Domain:
    """What the lanes need to know of a topic. Without a live lane, ClickHouse gets its rows by way of the lake."""

    bronze: Contract
    quarantine: Contract
    branches: tuple[Branch, ...]
    is_live: bool = True

    @property
    def name(self) -> str:
        return self.bronze.domain

    @property
    def sources(self) -> tuple[Contract, ...]:
        """The events or the feed of the topic."""
        return self.bronze.built_from

    @property
    def topic(self) -> str:
        return self.sources[0].topic

    @property
    def tables(self) -> tuple[Contract, ...]:
        """Every Delta table that the streams write for it."""
        return self.bronze, *(branch.silver for branch in self.branches), *self.corrections, self.quarantine

    @property
    def served_tables(self) -> tuple[Contract, ...]:
        """Those of them that ClickHouse has too."""
        return tuple(table for table in self.tables if table.clickhouse is not None)

    @property
    def corrections(self) -> tuple[Contract, ...]:
        """The tables that say which events of others no longer hold."""
        return tuple(branch.corrections for branch in self.branches if branch.corrections is not None)

    @property
    def main_branches(self) -> tuple[Branch, ...]:
        return tuple(branch for branch in self.branches if branch.main)

    def followers(self, main: Branch) -> tuple[Branch, ...]:
        """The other branches that take the same events."""
        return tuple(b for b in self.branches if not b.main and b.types == main.types)

    @property
    def is_typed(self) -> bool:
        """Whether tables take records by their event type."""
        return any(branch.types for branch in self.branches)

    @property
    def types(self) -> frozenset[str]:
        """The event types that some table takes; none stands for all."""
        return frozenset().union(*(branch.types for branch in self.branches))
