"""``./start.sh collection``: what collections there are, and dropping one whole."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
from rich import box
from rich.console import Console
from rich.table import Table

from conf import Settings
from conf.stream_progress import Unsettled, settle
from infra.local import clickhouse_http, domains
from infra.local.command_line import current, out
from infra.local.errors import Failed, Refused
from infra.local.processes import children
from infra.local.stack import Stack
from infra.local.tools import java
from schemas.contract import Contract, contracts, tables

SETTLE_SECONDS = 600


def collected() -> list[Contract]:
    """The silver tables whose rows belong to collections."""
    return [t for t in tables("silver") if "collection_code" in t.columns and t.clickhouse is not None]


def collections(settings: Settings) -> list[tuple[str, int, str]]:
    """Name, rows of all versions, and when the last of them came. `Failed` where ClickHouse does not answer."""
    each = " UNION ALL ".join(f"SELECT collection_code, ingested_at FROM {t.name} FINAL" for t in collected())
    sql = (
        "SELECT toString(collection_code) AS name, count(), formatDateTime(max(ingested_at), '%Y-%m-%d %H:%i') "
        f"FROM ({each}) GROUP BY name ORDER BY name"
    )
    return [(name, int(count), last) for name, count, last in clickhouse_http.rows(settings, sql)]


def show(settings: Settings, console: Console) -> None:
    """The collections as a table."""
    listed = collections(settings)
    if not listed:
        console.print("There is no collection yet. ./start.sh ingest SOURCE makes one, e.g. procurement.goszakup.")
        return
    table = Table("collection", box=box.SIMPLE_HEAD)
    for heading in ("rows, every version", "last came, UTC"):
        table.add_column(heading, justify="right")
    for name, count, last in listed:
        table.add_row(name, f"{count:,}", last)
    console.print(table)


def need(settings: Settings, name: str) -> int:
    """The rows of a collection. `Refused`, with the names there are, for an unknown one."""
    listed = collections(settings)
    for known, count, _ in listed:
        if known == name:
            return count
    there = ", ".join(known for known, _, _ in listed) or "none yet"
    raise Refused(f"No collection is called {name!r}; there are: {there}")


def drop(settings: Settings, stack: Stack, name: str, say: Callable[[str], None]) -> None:
    """Take a collection out of the collector's state, the lake and ClickHouse.

    The stream owns the lake's tables, so it stops meanwhile, if it runs: first when it has all that waits for it, since
    events of the collection that came after would bring it back.
    """
    is_streaming = stack.supervisor.info().get("stream", {}).get("statename") in ("RUNNING", "STARTING")
    if is_streaming:
        say("Waiting until the lake has what is in Kafka.")
        topics = sorted({c.topic for c in contracts() if c.topic and c.domain in {t.domain for t in collected()}})
        try:
            settle(settings, topics, SETTLE_SECONDS, lambda _: None)
        except Unsettled as late:
            raise Failed(f"{late} Nothing was dropped. See: ./start.sh logs stream") from None
    env = children.environment(settings, java.remembered(settings), "drop")
    for forget in domains.every("FORGET"):
        say(children.run([sys.executable, "-m", forget, name], "Forgetting the state", env=env).strip())
    try:
        if is_streaming:
            say("The stream stops.")
            stack.supervisor.stop("stream")
        say(
            children.run(
                [sys.executable, "-m", "streaming.core.drop_collection", name], f"Dropping {name}", env=env
            ).strip()
        )
    finally:
        if is_streaming:
            stack.supervisor.start("stream")
    if is_streaming:
        stack.wait_for("stream", lambda _: None)
        say("The stream runs again.")


@click.group()
def collection() -> None:
    """Collections of what is collected: each publisher or set of files is one."""


@collection.command("list")
def collection_list() -> None:
    """List the collections with their rows."""
    chosen = current()
    Stack(chosen).need("clickhouse")
    show(chosen, out())


@collection.command("drop")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def collection_drop(name: str, yes: bool) -> None:
    """Drop the collection NAME whole: lake, ClickHouse, quarantine and the collector's state.

    The stream stops meanwhile. Loading the collection again fills everything again; other collections stay.
    """
    chosen = current()
    stack = Stack(chosen)
    stack.need("kafka", "minio", "clickhouse")
    with stack.alone():
        count = need(chosen, name)
        if not yes:
            click.confirm(f"Drop {count:,} rows of {name}, and all that came in for them?", abort=True)
        drop(chosen, stack, name, click.echo)
