"""``./start.sh reset``: an empty stack."""

from __future__ import annotations

import click

from infra.local.command_line import current
from infra.local.stack import Stack


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Stop everything and remove this stack's data, logs and passwords. The tools stay."""
    chosen = current()
    stack = Stack(chosen)
    with stack.alone():
        if not yes:
            click.confirm(f"Remove everything in {chosen.stack_home}?", abort=True)
        stack.reset()
        click.echo(f"Stack `{chosen.stack}` is empty.")
