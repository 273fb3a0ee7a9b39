"""``./start.sh logs``: the log of a part."""

from __future__ import annotations

import time

import click

from infra.local.command_line import current
from infra.local.errors import Refused


@click.command()
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Keep showing what is added, until Ctrl-C.")
@click.option("-n", "--lines", default=50, show_default=True, help="How many of the last lines to show.")
def logs(name: str, follow: bool, lines: int) -> None:
    """Show the log of a part, e.g. stream; those of Airflow's tasks are in its pages."""
    folder = current().logs
    file = folder / f"{name}.log"
    if not file.exists():
        there = sorted(log.stem for log in folder.glob("*.log"))
        raise Refused(f"There is no log of {name!r}; there are: {', '.join(there) or 'none, nothing was started yet'}")
    with file.open(errors="replace") as log:
        # The supervisor rotates at 20 MB, so the whole file can be read.
        click.echo("".join(log.readlines()[-lines:]), nl=False)
        while follow:
            click.echo(log.read(), nl=False)
            time.sleep(0.3)
