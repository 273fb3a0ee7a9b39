"""``./start.sh drift``: fields of registers that are new or gone."""

from __future__ import annotations

import click

from infra.local.command_line import PASSED_ON, StackCommand, current, pass_on


@click.command(cls=StackCommand, needs=("minio", "clickhouse"), context_settings=PASSED_ON)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def drift(options: tuple[str, ...]) -> None:
    """Report which fields of collected registers are new or gone, on the newest day.

    Options: --day D, --json. All reports: ops.drifted_fields.
    """
    pass_on(current(), "job", ["jobs.commands.drift", *options])
