"""How ClickHouse stores a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Replacing:
    """ClickHouse's ReplacingMergeTree: of rows with one key the one with the greatest `version` stays.

    `order_by` is the sorting key, the contract's key where it is not given; it must hold every key column.
    `partition` is an expression such as ``toYYYYMM(sold_on)``; `version` a column.
    `dedup_window` is how many insert tokens the table remembers.
    """

    order_by: tuple[str, ...] = ()
    partition: str = ""
    version: str = ""
    ttl: str = ""
    dedup_window: int = 0


@dataclass(frozen=True)
class Plain:
    """ClickHouse's MergeTree, for tables that are swapped whole or only appended to."""

    order_by: tuple[str, ...] = ()
    partition: str = ""
    ttl: str = ""
    dedup_window: int = 0
