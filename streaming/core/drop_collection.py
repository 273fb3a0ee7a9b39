"""Drops a collection: ``python -m streaming.core.drop_collection COLLECTION [--json]``, while no stream runs.

All rows of the collection are deleted: silver, quarantine and bronze in the lake, and the same in ClickHouse. Rows of
other collections stay. The collection can be loaded again afterwards, for only what is in silver makes a duplicate.
This process holds the lease of all domains, since Delta on S3 has one writer.

A drop that was interrupted can be repeated: ClickHouse, where collections are listed, comes last. Exit code 0: dropped.
1: a stream runs, or events wait. 2: no row belongs to such a collection.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conf import Settings, settings
from conf.connect import clickhouse
from conf.lease import NotOurs, take_lease
from conf.spark import spark_session
from conf.stream_progress import topic_ends
from schemas.contract import Contract, find
from schemas.contract.rules import quoted
from schemas.derive import live_tables
from schemas.derive.delta import set_properties
from schemas.derive.spark import ident
from streaming.core import spark_lock
from streaming.core.bronze_position import save_position
from streaming.core.checkpoints import checkpoint_position
from streaming.core.domain import Domain
from streaming.core.parse import header
from streaming.core.registry import domains
from streaming.core.schema_check import prepare_tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
FINDINGS = ("ops.quality", "ops.schema_drift")
"""Findings about a collection are dropped with it, so that the next load counts as a first one."""


class NotDropped(Exception):
    """Why nothing was changed."""


@dataclass(frozen=True)
class DropResult:
    """The numbers of deleted rows: of the lake by table, of ClickHouse together."""

    lake: dict[str, int]
    served: int

    @property
    def is_empty(self) -> bool:
        return not any(self.lake.values()) and not self.served


def drop(spark: SparkSession, chosen: Settings, domain: Domain, collection: str) -> DropResult:
    """Delete the collection's rows from the lake and from ClickHouse."""
    prepare_tables(spark, chosen, domain.tables)
    save_position(spark, chosen.table_path(domain.bronze.name))
    counts = {branch.silver.name: _delete(spark, chosen, branch.silver, collection) for branch in domain.branches}
    counts[domain.quarantine.name] = _delete(spark, chosen, domain.quarantine, collection)
    counts[domain.bronze.name] = _delete_from_bronze(spark, chosen, domain.bronze, collection)
    return DropResult(counts, _delete_from_clickhouse(chosen, domain, collection))


def belongs(contract: Contract, collection: str) -> str:
    """A condition of Spark's SQL for a collection's rows. The ids of its events begin with its name."""
    if "collection_code" in contract.columns:
        return f"collection_code = {quoted(collection)}"
    by_id = f"startswith(event_id, {quoted(collection + ':')})"
    if contract.layer == "bronze":
        return f"({by_id} OR coalesce({header('collection')}, '') = {quoted(collection)})"
    return by_id


def _delete(spark: SparkSession, chosen: Settings, contract: Contract, collection: str) -> int:
    at = f"delta.{ident(chosen.table_path(contract.name))}"
    (row,) = spark.sql(f"DELETE FROM {at} WHERE {belongs(contract, collection)}").collect()
    return max(0, int(row[0]))


def _delete_from_bronze(spark: SparkSession, chosen: Settings, bronze: Contract, collection: str) -> int:
    """Bronze is append-only but for this. If the process dies in between, the next start sets that again."""
    path = chosen.table_path(bronze.name)
    spark.sql(set_properties(path, {"delta.appendOnly": "false"})).collect()
    try:
        return _delete(spark, chosen, bronze, collection)
    finally:
        spark.sql(set_properties(path, {"delta.appendOnly": "true"})).collect()


def _delete_from_clickhouse(chosen: Settings, domain: Domain, collection: str) -> int:
    mine = f"collection_code = {quoted(collection)}"
    served = [find(name) for name in FINDINGS] + [b.silver for b in domain.branches if b.silver.clickhouse is not None]
    refused = f"kafka_topic = {quoted(domain.topic)} AND startsWith(event_id, {quoted(collection + ':')})"
    client = clickhouse(chosen, send_receive_timeout=1800)
    deleted = 0
    try:
        live_tables.apply_clickhouse(client, [*served, find("ops.quarantine")])
        for table, where in [*((table.name, mine) for table in served), ("ops.quarantine", refused)]:
            ((count,),) = client.query(f"SELECT count() FROM {table} WHERE {where}").result_rows
            if count:
                client.command(f"DELETE FROM {table} WHERE {where}", settings={"lightweight_deletes_sync": 2})
                deleted += int(count)
    finally:
        client.close()
    return deleted


def with_collections() -> list[Domain]:
    """The domains whose rows belong to collections."""
    return [d for d in domains() if any("collection_code" in b.silver.columns for b in d.branches)]


def refuse_while_events_wait(chosen: Settings, domain: Domain) -> None:
    """Events that are not in the lake yet might belong to the collection and bring it back. Raises NotDropped."""
    # Also what an open transaction holds back: it would come later.
    ends = topic_ends(chosen, [domain.topic])[domain.topic]
    position = checkpoint_position(Path(chosen.checkpoints) / "lake" / domain.name / "spark", domain.topic)
    waiting = sum(max(0, end - position.get(partition, 0)) for partition, end in ends.items())
    if waiting:
        raise NotDropped(
            f"{waiting:,} events of {domain.topic} are not in the lake yet and might bring rows back. Start the "
            f"stream, wait for them (./start.sh settle {domain.topic}), stop it and drop again."
        )


def run(chosen: Settings, collection: str) -> DropResult:
    """Hold the lease and drop. Raises NotDropped and NotOurs."""
    if not NAME.fullmatch(collection):
        raise NotDropped(f"{collection!r} is no name of a collection.")
    with take_lease(chosen, "stream", f"drop of {collection}") as held:
        for domain in with_collections():
            refuse_while_events_wait(chosen, domain)
        spark = spark_session(chosen, "sauda-drop", memory=chosen.stream_memory, ui_port=0, quick=True)
        try:
            spark_lock.take_in_java(spark, chosen.run)
            results = []
            for domain in with_collections():
                held.check()
                results.append(drop(spark, chosen, domain, collection))
            lake = {table: count for result in results for table, count in result.lake.items()}
            return DropResult(lake, sum(result.served for result in results))
        finally:
            spark.stop()


@click.command()
@click.argument("collection")
@click.option("--json", "as_json", is_flag=True, help="End with the rows that went, by table, as a line of JSON.")
def main(collection: str, as_json: bool) -> None:
    """Drop a COLLECTION from lake and ClickHouse, while no stream runs."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        result = run(settings(), collection)
    except (NotDropped, NotOurs, live_tables.ContractMismatch) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    for table, count in result.lake.items():
        if count:
            click.echo(f"{table}: {count:,} rows dropped")
    lake = sum(result.lake.values())
    click.echo(f"{lake:,} rows of {collection} are dropped from the lake, {result.served:,} from ClickHouse.")
    if as_json:
        click.echo(json.dumps({"collection": collection, "lake": result.lake, "clickhouse": result.served}))
    if result.is_empty:
        sys.exit(2)


if __name__ == "__main__":
    main()
