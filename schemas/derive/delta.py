"""Delta tables: how they are made and how an optional column is added."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.contract import Column, Contract
from schemas.contract.rules import quoted
from schemas.derive.spark import ident

# What a reader of bronze, silver or quarantine looks rows up by, beside its keys and days.
_LOOKED_UP = {"ingested_at", "kafka_partition", "kafka_offset", "batch_id"}
# Every file of a stream has ids from one end of the alphabet to the other: no file is ever skipped by them.
_SCATTERED = {"event_id", "event_hash"}
_NO_STATISTICS = {"TEXT", "BYTES", "HEADERS", "LIST"}
FINISHED = "_finished.json"
"""Beside a table's files: the last batch that is whole in it and in the tables written before it. Delta ignores it."""
STATISTICS_PROPERTIES = ("delta.dataSkippingStatsColumns", "delta.dataSkippingNumIndexedCols")


def create_table(contract: Contract, path: str, *, anew: bool = False) -> str:
    """Make the table at a path such as ``s3a://lake/warehouse/silver/purchase_lines``; one that is there stays.

    Unless it is made `anew`: then it is empty, and has the contract's columns.
    """
    columns = ",\n".join(f"  {_column(c)}" for c in contract.columns)
    facts = ",\n".join(f"  {quoted(key)} = {quoted(value)}" for key, value in properties(contract).items())
    return (
        f"{'CREATE OR REPLACE TABLE' if anew else 'CREATE TABLE IF NOT EXISTS'} delta.{ident(path)} (\n{columns}\n)\n"
        f"USING delta\nCOMMENT {quoted(contract.description)}\nTBLPROPERTIES (\n{facts}\n)"
    )


def properties(contract: Contract) -> dict[str, str]:
    """The table properties that the contract decides.

    Statistics are kept for the columns by which files are skipped: each column costs time at every commit.
    """
    values = {"delta.enableDeletionVectors": "false"}
    listed, counted = STATISTICS_PROPERTIES
    skipping = statistics_columns(contract)
    if skipping:
        values[listed] = ",".join(skipping)
    else:
        values[counted] = "0"
    if contract.layer == "bronze":
        values["delta.appendOnly"] = "true"
    return values


def statistics_columns(contract: Contract) -> tuple[str, ...]:
    """The columns whose smallest and greatest value Delta keeps for each file.

    A gold table is read whole, but for the one column by which it is rebuilt.
    """
    if contract.layer == "gold":
        return (contract.day,) if contract.day else ()
    return tuple(c.name for c in contract.columns if _is_looked_up(c, contract) and c.type.name not in _NO_STATISTICS)


def add_columns(contract: Contract, path: str, names: Iterable[str]) -> list[str]:
    """One statement for each named column, put where the contract has it. Raises ValueError for a required one."""
    wanted = set(names)
    statements = []
    for before, column in zip((None, *contract.columns), contract.columns, strict=False):
        if column.name not in wanted:
            continue
        if not column.optional:
            raise ValueError(f"{contract.name}.{column} is required: rows that are there have no value for it")
        place = f"AFTER {ident(before)}" if before else "FIRST"
        statements.append(f"ALTER TABLE delta.{ident(path)} ADD COLUMNS ({_column(column)} {place})")
    return statements


def set_comment(path: str, column: Column) -> str:
    """Say on the live table what the contract says of a column."""
    return f"ALTER TABLE delta.{ident(path)} ALTER COLUMN {ident(column)} COMMENT {quoted(column.description)}"


def set_properties(path: str, wanted: dict[str, str]) -> str:
    """Bring table properties to given values."""
    facts = ", ".join(f"{quoted(key)} = {quoted(value)}" for key, value in wanted.items())
    return f"ALTER TABLE delta.{ident(path)} SET TBLPROPERTIES ({facts})"


def unset_properties(path: str, names: Iterable[str]) -> str:
    """Take table properties away, those that are there."""
    return f"ALTER TABLE delta.{ident(path)} UNSET TBLPROPERTIES IF EXISTS ({', '.join(quoted(n) for n in names)})"


def _is_looked_up(column: Column, contract: Contract) -> bool:
    if column.name in _SCATTERED:
        return False
    return column.key or column.type.name == "DAY" or column.name in contract.sort_by or column.name in _LOOKED_UP


def _column(column: Column) -> str:
    required = "" if column.optional else " NOT NULL"
    return f"{ident(column)} {column.type.spark}{required} COMMENT {quoted(column.description)}"
