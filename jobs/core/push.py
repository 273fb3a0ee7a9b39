"""Publishing a gold table: ClickHouse reads the pinned Delta version itself, and swaps when it holds the same rows.

    Delta version V ──INSERT … SELECT … deltaLake()──► staging.T__run ──same facts?──► EXCHANGE with gold.T

Whatever fails before the exchange leaves the table that readers see untouched; the exchange is one step.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from jobs.core.errors import Failed
from jobs.core.fingerprint import Facts, clickhouse_facts
from schemas.contract import Contract, tables
from schemas.contract.rules import quoted
from schemas.derive import clickhouse
from schemas.derive.spark import ident

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

STAGING = "staging"
# A table's months may be more than the hundred partitions that ClickHouse lets one insert write.
LOAD = {"max_partitions_per_insert_block": 0, "throw_on_max_partitions_per_insert_block": 0}


def push(client: Client, contract: Contract, url: str, version: int, facts: Facts, run_id: str) -> None:
    """Make ClickHouse show `version` of the Delta table at `url`, which is known to hold `facts`.

    Raises Failed, with the old rows still shown, where ClickHouse reads other rows than these.
    """
    fresh = f"{STAGING}.{contract.table}__{run_id}"
    client.command(clickhouse.create_table(contract, fresh))
    columns = ", ".join(map(ident, contract.serving_columns))
    client.command(
        f"INSERT INTO {fresh} ({columns}) SELECT {columns} FROM {delta(url)} {pinned(version)}", settings=LOAD
    )
    loaded = facts_of(client, contract, fresh)
    difference = loaded.difference(facts)
    if difference:
        client.command(f"DROP TABLE {fresh}")
        raise Failed(
            f"{contract.name} was not swapped: ClickHouse reads other rows from version {version} than were written, "
            f"{difference}. It still shows what it showed before."
        )
    client.command(f"EXCHANGE TABLES {fresh} AND {contract.name}")
    client.command(f"DROP TABLE {fresh}")


def delta(url: str) -> str:
    """A Delta table as a source in ClickHouse's SQL; the named collection holds the keys, so no query shows them."""
    return f"deltaLake(lake, url = {quoted(url)})"


def pinned(version: int) -> str:
    """The clause by which a query reads one version of its Delta table."""
    return f"SETTINGS delta_lake_snapshot_version = {version}"


def facts_of(client: Client, contract: Contract, source: str, settings: str = "") -> Facts:
    """What ClickHouse finds in a table or in a source of its SQL."""
    (row,) = client.query(f"SELECT {', '.join(clickhouse_facts(contract))} FROM {source} {settings}").result_rows
    return Facts.of(contract, row)


def drop_leftovers(client: Client, domains: Collection[str] = ()) -> list[str]:
    """Drop what killed runs of these domains left in staging; without any, of all. Returns the tables' names.

    Only for a process that holds the lease of these domains: what others load at this moment lies there too.
    """
    client.command(clickhouse.create_database(STAGING))
    result = client.query(f"SELECT name FROM system.tables WHERE database = '{STAGING}' AND name LIKE '%\\_\\_%'")
    names = [str(name) for (name,) in result.result_rows]
    if domains:
        own = {table.table for table in tables() if table.domain in domains}
        names = [name for name in names if name.rpartition("__")[0] in own]
    for name in names:
        client.command(f"DROP TABLE IF EXISTS {STAGING}.{ident(name)}")
    return names
