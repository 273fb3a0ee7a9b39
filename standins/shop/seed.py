"""Fills the shop's database with the simulated world, so that purchases name customers and products that exist."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from psycopg import sql
from rich.console import Console

from conf import Settings
from ingestion.core.registry import Collector, Connect, RunContext
from ingestion.shop.snapshot import database
from schemas.contract import Contract, find
from standins.shop import people
from standins.shop.people import Row
from standins.world.world import make_world

if TYPE_CHECKING:
    from psycopg import Connection

NAME = "shop.seed"


def seed(connection: Connection, contract: Contract, rows: Iterable[Row]) -> int:
    """Add the rows that are missing and leave the others as they are. Returns how many were added."""
    every = list(rows)
    columns = list(every[0])
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
        sql.Identifier(*contract.name.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(sql.Placeholder, columns)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, every)
        return cursor.rowcount


@dataclass(frozen=True)
class SeedRun:
    """A run that was asked for."""

    context: RunContext
    number: int
    as_json: bool

    def run(self, settings: Settings, console: Console, connect: Connect) -> int:  # noqa: ARG002
        world = make_world(self.number, until=self.context.now)
        added = {}
        with database(settings) as connection, connection.transaction():
            # Products name their sellers.
            for name, rows in (
                ("sellers", people.sellers),
                ("products", people.products),
                ("customers", people.customers),
            ):
                added[name] = seed(connection, find(f"shop.{name}"), rows(world))
        summary = ", ".join(f"{count:,} {name}" for name, count in added.items())
        click.echo(f"{NAME}: {summary} were added; what was there stays as it is.")
        if self.as_json:
            click.echo(json.dumps({"source": NAME, **added}))
        return 0


def _open(context: RunContext, *, seed: int, as_json: bool) -> SeedRun:
    return SeedRun(context, seed, as_json)


SOURCE = Collector(
    NAME,
    "The simulated world's sellers, products and customers into the shop's database.",
    (
        click.Option(["--seed"], type=int, default=7, show_default=True, help="As of purchases.simulate."),
        click.Option(["--json", "as_json"], is_flag=True, help="End with the figures as one line of JSON."),
    ),
    _open,
)
