"""Bringing ClickHouse to what the lake holds, while the live lane goes on inserting and people go on reading.

A day of a streamed table is repaired by adding and taking away, not by replacing its partition: rows that the live lane
inserts between the reading of a partition and its replacement would be gone until the lake brings them, and a repair
that died in between would leave it so. Instead, month by month, from a pinned version of the lake:

 1. the lake's rows of the days that differ are loaded into a staging table;
 2. its partition is attached to the live table, in one step. What was missing is there, and of rows with the same key
    and version ReplacingMergeTree keeps the one that came last, which is the lake's;
 3. rows of those days that the lake does not have, and has come far enough to have had, are deleted.

Readers see a day as it was, then with what was missing, then right. Each step can be done twice, so a repair that is
cut off is simply done again. No step touches rows from beyond where the lake has come.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby

from jobs.core.compare import PLACE, GoldTable, StreamTable
from jobs.core.push import LOAD, STAGING, push
from schemas.contract import find
from schemas.contract.rules import quoted
from schemas.derive import clickhouse
from schemas.derive.spark import ident


def repair_days(table: StreamTable, days: Iterable[date], run_id: str) -> None:
    """Make ClickHouse hold what the lake holds of these days."""
    for month, of_month in groupby(sorted(days), key=lambda day: (day.year, day.month)):
        _repair_month(table, list(of_month), f"{run_id}_{month[0]}{month[1]:02}")


def _repair_month(table: StreamTable, days: list[date], name: str) -> None:
    client, served = table.client, find(table.served)
    # Named after the contract, since domains share the table of refused events.
    fresh = f"{STAGING}.{table.contract.table}__{name}"
    listed = ", ".join(f"toDate32({quoted(str(day))})" for day in days)
    of_days = f"{table.day} IN ({listed})"
    client.command(clickhouse.create_table(served, fresh))
    try:
        if table.version is not None:
            columns = ", ".join(map(ident, served.serving_columns))
            source = f"SELECT {columns} FROM {table.source} WHERE {of_days} {table.pin}"
            client.command(f"INSERT INTO {fresh} ({columns}) {source}", settings=LOAD)
            for (partition,) in client.query(f"SELECT DISTINCT _partition_id FROM {fresh}").result_rows:
                client.command(f"ALTER TABLE {served.name} ATTACH PARTITION ID {quoted(partition)} FROM {fresh}")
        same = ", ".join(map(ident, [*served.sorting_key, *(c for c in PLACE if c in served.columns)]))
        unknown = f"{of_days} AND {table.reached} AND {table.topic} AND ({same}) NOT IN (SELECT {same} FROM {fresh})"
        ((count,),) = client.query(f"SELECT count() FROM {served.name} WHERE {unknown}").result_rows
        if count:
            client.command(f"DELETE FROM {served.name} WHERE {unknown}", settings={"lightweight_deletes_sync": 2})
    finally:
        client.command(f"DROP TABLE IF EXISTS {fresh}")


def repair_gold(table: GoldTable, run_id: str) -> None:
    """Push the lake's version again."""
    if table.version is None:
        table.client.command(f"TRUNCATE TABLE {table.contract.name}")
        return
    url = table.lake.url(table.contract.name)
    push(table.client, table.contract, url, table.version, table.lake_facts, run_id)
