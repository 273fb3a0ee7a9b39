"""``./start.sh settle``: wait until topics are in lake and ClickHouse."""

from __future__ import annotations

import click

from infra.local.command_line import PASSED_ON, StackCommand, current, pass_on


@click.command(cls=StackCommand, needs=("kafka", "stream"), context_settings=PASSED_ON)
@click.argument("topics", nargs=-1, required=True, type=click.UNPROCESSED)
def settle(topics: tuple[str, ...]) -> None:
    """Wait until lake and ClickHouse have all that TOPICS hold now, e.g. procurement-events

    Options: --minutes N, how long at most (10).
    """
    pass_on(current(), "job", ["jobs.commands.settle", *topics])
