"""``./start.sh check``: what silver holds, judged."""

from __future__ import annotations

import click

from infra.local.command_line import PASSED_ON, StackCommand, current, pass_on


@click.command(cls=StackCommand, needs=("clickhouse",), context_settings=PASSED_ON)
@click.argument("domain")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def check(domain: str, options: tuple[str, ...]) -> None:
    """Judge what silver holds of a DOMAIN, e.g. procurement: references resolve, no table has shrunk.

    Options: --collection NAME, --accept (take the present counts for right), --json. All findings: ops.latest_checks.
    """
    pass_on(current(), "job", ["jobs.commands.check", domain, *options])
