"""``./start.sh reconcile``: lake and ClickHouse compared."""

from __future__ import annotations

import click

from infra.local.command_line import StackCommand, current, pass_on


@click.command(cls=StackCommand, needs=("minio", "clickhouse"))
@click.option("--repair", is_flag=True, help="Load what differs from the lake into ClickHouse again.")
@click.option("--domain", default="", help="Only the tables of this domain, e.g. purchases.")
@click.option("--json", "as_json", is_flag=True, help="End with a line of JSON.")
def reconcile(repair: bool, domain: str, as_json: bool) -> None:
    """Compare the lake with ClickHouse, day by day: counts, checksums, money."""
    options = [
        *(["--repair"] if repair else []), *(["--domain", domain] if domain else []), *(["--json"] if as_json else [])
    ]  # fmt: skip
    pass_on(current(), "job", ["jobs.commands.reconcile", *options])
