"""``./start.sh keys``: keys of the REST API."""

from __future__ import annotations

import click

from infra.local.command_line import PASSED_ON, current, pass_on


@click.command(context_settings=PASSED_ON)
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="create|list|revoke [OPTIONS]")
def keys(rest: tuple[str, ...]) -> None:
    """Make, list and revoke keys of the REST API, e.g. keys create "Aigul's shop" --scope write:purchases"""
    pass_on(current(), "keys", ["api.keys", *rest])
