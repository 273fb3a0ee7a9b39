"""ClickHouse tables: the serving columns of a contract, as the server is to hold them."""

from __future__ import annotations

from schemas.contract import Column, Contract, Plain, Replacing
from schemas.contract.rules import quoted
from schemas.derive.spark import ident

# Types that can't be Nullable: a null becomes the empty list.
_NEVER_NULL = {"HEADERS"}


def create_database(name: str) -> str:
    """A layer is a database."""
    return f"CREATE DATABASE IF NOT EXISTS {ident(name)}"


def create_table(contract: Contract, name: str | None = None) -> str:
    """Make the contract's table, or one of the same shape called `name` (``database.table``); one that is there stays.

    Raises ValueError for a contract that ClickHouse doesn't hold.
    """
    storage = engine_of(contract)
    types = columns(contract)
    inner = [_column(c, types[c.name]) for c in contract.serving_columns]
    inner += [_index(name, *facts) for name, facts in indexes(contract).items()]
    lines = ",\n".join(f"  {line}" for line in inner)
    clauses = [f"ENGINE = {engine(contract)}"]
    if storage.partition:
        clauses.append(f"PARTITION BY {storage.partition}")
    clauses.append(f"ORDER BY ({', '.join(contract.sorting_key)})")
    if storage.ttl:
        clauses.append(f"TTL {storage.ttl}")
    if storage.dedup_window:
        clauses.append(f"SETTINGS non_replicated_deduplication_window = {storage.dedup_window}")
    clauses.append(f"COMMENT {quoted(contract.description)}")
    return f"CREATE TABLE IF NOT EXISTS {qualified(name or contract.name)} (\n{lines}\n)\n" + "\n".join(clauses)


def columns(contract: Contract) -> dict[str, str]:
    """The serving columns and their types, spelled as ``system.columns`` spells them."""
    return {c.name: _type(c, contract) for c in contract.serving_columns}


def indexes(contract: Contract) -> dict[str, tuple[str, str]]:
    """Index → its column and its type, spelled as ``system.data_skipping_indices`` spells them.

    Codes are few, so a block can list its own; of ids and texts a filter says which blocks may hold one. Two per cent
    of blocks are then read in vain.
    """
    return {
        f"by_{c}": (c.name, "set(1000)" if c.type.name == "CODE" else "bloom_filter")
        for c in contract.serving_columns
        if c.lookup
    }


def add_index(contract: Contract, name: str) -> str:
    """Have new rows of a live table indexed as the contract says."""
    return f"ALTER TABLE {qualified(contract.name)} ADD {_index(name, *indexes(contract)[name], if_new=True)}"


def fill_index(contract: Contract, name: str) -> str:
    """Have the rows that are there indexed too; the server does it by and by."""
    return f"ALTER TABLE {qualified(contract.name)} MATERIALIZE INDEX {ident(name)}"


def drop_index(contract: Contract, name: str) -> str:
    """Take an index away. No row changes by it."""
    return f"ALTER TABLE {qualified(contract.name)} DROP INDEX IF EXISTS {ident(name)}"


def add_column(contract: Contract, column: Column) -> str:
    """Add an optional column where the contract has it. Raises ValueError for a required one."""
    if not column.optional:
        raise ValueError(f"{contract.name}.{column} is required: rows that are there have no value for it")
    serving = [c.name for c in contract.serving_columns]
    place = serving.index(column.name)
    where = f"AFTER {ident(serving[place - 1])}" if place else "FIRST"
    declared = _column(column, columns(contract)[column.name])
    return f"ALTER TABLE {qualified(contract.name)} ADD COLUMN IF NOT EXISTS {declared} {where}"


def set_comment(contract: Contract, column: Column) -> str:
    """Say on the live table what the contract says of a column."""
    comment = quoted(column.description)
    return f"ALTER TABLE {qualified(contract.name)} COMMENT COLUMN {ident(column)} {comment}"


def set_table_comment(contract: Contract) -> str:
    """Say on the live table what the contract says of its rows."""
    return f"ALTER TABLE {qualified(contract.name)} MODIFY COMMENT {quoted(contract.description)}"


def set_dedup_window(contract: Contract) -> str:
    """Bring the number of remembered insert tokens to the contract's."""
    window = engine_of(contract).dedup_window
    return f"ALTER TABLE {qualified(contract.name)} MODIFY SETTING non_replicated_deduplication_window = {window}"


def engine(contract: Contract) -> str:
    """The engine with its arguments, such as ``ReplacingMergeTree(arrival)``."""
    storage = engine_of(contract)
    if isinstance(storage, Replacing):
        return f"ReplacingMergeTree({storage.version})" if storage.version else "ReplacingMergeTree"
    return "MergeTree"


def engine_of(contract: Contract) -> Replacing | Plain:
    """How ClickHouse stores the table. Raises ValueError where it holds none."""
    if contract.clickhouse is None:
        raise ValueError(f"{contract.name} has no clickhouse=…, so ClickHouse holds no such table")
    return contract.clickhouse


def qualified(name: str) -> str:
    """``gold.sales`` → `` `gold`.`sales` ``."""
    return ".".join(ident(part) for part in name.split(".", 1))


def _type(column: Column, contract: Contract) -> str:
    """A column of the sorting key is never Nullable: ClickHouse refuses it, and a null is stored as the empty value."""
    plain = column.type.clickhouse
    if not column.optional or column.name in contract.sorting_key or column.type.name in _NEVER_NULL:
        return plain
    if plain.startswith("LowCardinality("):
        return f"LowCardinality(Nullable({plain.removeprefix('LowCardinality(')[:-1]}))"
    return f"Nullable({plain})"


def _column(column: Column, type: str) -> str:
    return f"{ident(column)} {type} COMMENT {quoted(column.description)}"


def _index(name: str, column: str, type: str, *, if_new: bool = False) -> str:
    return f"INDEX {'IF NOT EXISTS ' if if_new else ''}{ident(name)} {ident(column)} TYPE {type} GRANULARITY 1"
