"""``./start.sh down``: stop the stack."""

from __future__ import annotations

import click

from infra.local.command_line import current
from infra.local.stack import Stack


@click.command()
def down() -> None:
    """Stop everything of this stack. The data stays."""
    stack = Stack(current())
    with stack.alone():
        click.echo("Stopped." if stack.down() else "Nothing was running.")
