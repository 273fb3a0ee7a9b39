"""``./start.sh job``: gold tables, built now."""

from __future__ import annotations

import click

from infra.local.command_line import StackCommand, current, pass_on


@click.command(cls=StackCommand, needs=("minio", "clickhouse"))
@click.argument("name")
@click.option("--day", help="Build only this day, e.g. 2026-03-01.")
@click.option("--json", "as_json", is_flag=True, help="End with a line of JSON.")
def job(name: str, day: str | None, as_json: bool) -> None:
    """Run a job: `nightly` for all gold tables, or one table, e.g. gold.purchases_seller_daily"""
    options = [*(["--day", day] if day else []), *(["--json"] if as_json else [])]
    pass_on(current(), "job", ["jobs.commands.run", name, *options])
