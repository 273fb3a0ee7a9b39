"""Live tables beside their contracts: what differs, what of it is brought in line by itself, what is refused.

Brought in line: a table that isn't there, a new optional column, comments, settings that touch no row. Anything else
would change or lose rows, so it is refused with a sentence that says how to migrate. Nothing is altered unless all of
it can be. Connections are passed in; only the few methods below are used of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from schemas.contract import Contract
from schemas.derive import clickhouse, delta
from schemas.derive.differences import (
    Difference,
    clickhouse_columns,
    clickhouse_indexes,
    clickhouse_table,
    delta_properties,
    differences_delta,
)
from schemas.derive.spark import ident

__all__ = [
    "ClickHouseClient",
    "ContractMismatch",
    "Difference",
    "Frame",
    "Spark",
    "apply_clickhouse",
    "apply_delta",
    "apply_each",
    "apply_served",
    "differences_clickhouse",
    "differences_delta",
    "remake_delta",
]  # fmt: skip


class QueryResult(Protocol):
    """What a ClickHouse query answers."""

    @property
    def result_rows(self) -> Sequence[Sequence[Any]]: ...


class ClickHouseClient(Protocol):
    """As much of a ``clickhouse_connect`` client as is needed here."""

    def query(self, query: str, /, *, parameters: dict[str, Any]) -> QueryResult: ...

    def command(self, cmd: str, /) -> Any: ...


class Frame(Protocol):
    """As much of a Spark DataFrame as is needed here."""

    @property
    def schema(self) -> Any: ...

    def collect(self) -> list[Any]: ...


class Spark(Protocol):
    """As much of a Spark session as is needed here."""

    def sql(self, query: str, /) -> Frame: ...


class ContractMismatch(Exception):
    """Live tables differ from their contracts in a way that is not brought in line by itself.

    The message has a line for each difference, and one for the remedy that these share.
    """

    def __init__(self, differences: Iterable[Difference]) -> None:
        self.differences = tuple(differences)
        lines: dict[str, list[str]] = {}
        for difference in self.differences:
            lines.setdefault(difference.remedy, []).append(difference.sentence)
        super().__init__("\n".join("\n".join([*sentences, remedy]) for remedy, sentences in lines.items()))


def apply_clickhouse(client: ClickHouseClient, contracts: Iterable[Contract]) -> list[str]:
    """Make and complete the tables that ClickHouse is to hold; returns a sentence for each thing done.

    Raises ContractMismatch, and changes nothing, where any table differs in a way that needs a migration.
    """
    differences = differences_clickhouse(client, contracts)
    return _bring_in_line(differences, client.command)


def apply_served(client: ClickHouseClient, contracts: Iterable[Contract]) -> list[str]:
    """As `apply_clickhouse`, but a gold table of an older contract stays: the next whole night swaps a new one in."""
    wanted = list(contracts)
    try:
        return apply_clickhouse(client, wanted)
    except ContractMismatch as mismatch:
        old = {difference.table for difference in mismatch.differences}
        if not all(contract.is_rebuilt_nightly for contract in wanted if contract.name in old):
            raise
        done = apply_clickhouse(client, [contract for contract in wanted if contract.name not in old])
        return [*done, *(f"{name} is of an older contract; the next night makes it anew." for name in sorted(old))]


def apply_each(client: ClickHouseClient, contracts: Iterable[Contract]) -> tuple[list[str], ContractMismatch | None]:
    """As `apply_served`, but a table that needs a migration keeps no other from being made or completed.

    Returns what was done, and what differs.
    """
    wanted = list(contracts)
    refused = [difference for difference in differences_clickhouse(client, wanted) if not difference.statement]
    remade = {contract.name for contract in wanted if contract.is_rebuilt_nightly}
    kept = {difference.table for difference in refused}
    done = apply_clickhouse(client, [contract for contract in wanted if contract.name not in kept])
    done += [f"{name} is of an older contract; the next night makes it anew." for name in sorted(kept & remade)]
    grave = [difference for difference in refused if difference.table not in remade]
    return done, ContractMismatch(grave) if grave else None


def remake_delta(spark: Spark, contract: Contract, path: str) -> list[str]:
    """As `apply_delta`, but a table that a night makes anew is replaced where it differs, and is empty then."""
    try:
        return apply_delta(spark, contract, path)
    except ContractMismatch:
        if not contract.is_rebuilt_nightly:
            raise
        spark.sql(delta.create_table(contract, path, anew=True)).collect()
        return [f"{contract.name} was of an older contract, and is made anew."]


def apply_delta(spark: Spark, contract: Contract, path: str) -> list[str]:
    """Make or complete the Delta table at a path; returns a sentence for each thing done.

    Only the process that owns the table may call this. Raises ContractMismatch, and changes nothing, where the table
    differs in a way that needs a migration.
    """
    at = f"delta.{ident(path)}"
    try:
        live_properties = {row[0]: row[1] for row in spark.sql(f"SHOW TBLPROPERTIES {at}").collect()}
    except Exception as error:
        if "DELTA_MISSING_DELTA_TABLE" not in str(error):
            raise
        spark.sql(delta.create_table(contract, path)).collect()
        return [f"Made the Delta table {contract.name}."]
    fields = spark.sql(f"SELECT * FROM {at}").schema.jsonValue()["fields"]
    differences = [
        *differences_delta(fields, contract, path),
        *delta_properties(live_properties, contract, path),
    ]
    return _bring_in_line(differences, lambda statement: spark.sql(statement).collect())


def differences_clickhouse(client: ClickHouseClient, contracts: Iterable[Contract]) -> list[Difference]:
    """All differences of the tables that ClickHouse is to hold, in the order in which they can be removed."""
    wanted = [c for c in contracts if c.clickhouse is not None]
    layers = list(dict.fromkeys(c.layer for c in wanted))
    parameters = {"databases": layers}
    databases = {
        row[0]
        for row in client.query(
            "SELECT name FROM system.databases WHERE name IN {databases:Array(String)}", parameters=parameters
        ).result_rows
    }
    tables = {
        (row[0], row[1]): row[2:]
        for row in client.query(
            "SELECT database, name, engine_full, partition_key, sorting_key, comment FROM system.tables"
            " WHERE database IN {databases:Array(String)}",
            parameters=parameters,
        ).result_rows
    }
    columns: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    for database, table, name, type_, comment in client.query(
        "SELECT database, table, name, type, comment FROM system.columns"
        " WHERE database IN {databases:Array(String)} ORDER BY database, table, position",
        parameters=parameters,
    ).result_rows:
        columns.setdefault((database, table), {})[name] = (type_, comment)
    indexes: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    for database, table, name, column, type_ in client.query(
        "SELECT database, table, name, expr, type_full FROM system.data_skipping_indices"
        " WHERE database IN {databases:Array(String)} ORDER BY database, table, name",
        parameters=parameters,
    ).result_rows:
        indexes.setdefault((database, table), {})[name] = (column, type_)

    differences = [
        Difference(name, "", f"ClickHouse has no database {name}.", statement=clickhouse.create_database(name),
                   done=f"Made the ClickHouse database {name}.")
        for name in layers if name not in databases
    ]  # fmt: skip
    for contract in wanted:
        live = (contract.layer, contract.table)
        if live not in tables:
            differences.append(
                Difference(
                    contract.name, "", f"ClickHouse has no table {contract.name}.",
                    statement=clickhouse.create_table(contract), done=f"Made the ClickHouse table {contract.name}.",
                )
            )  # fmt: skip
            continue
        differences += clickhouse_columns(contract, columns[live])
        differences += clickhouse_table(contract, *tables[live])
        differences += clickhouse_indexes(contract, indexes.get(live, {}))
    return differences


def _bring_in_line(differences: list[Difference], run: Callable[[str], object]) -> list[str]:
    refused = [difference for difference in differences if not difference.statement]
    if refused:
        raise ContractMismatch(refused)
    for difference in differences:
        run(difference.statement)
    return [difference.done for difference in differences if difference.done]
