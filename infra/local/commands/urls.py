"""``./start.sh urls``: where the stack is reached."""

from __future__ import annotations

import click

from infra.local.command_line import current, out


@click.command()
@click.option("--passwords", is_flag=True, help="Show the passwords too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def urls(passwords: bool, as_json: bool) -> None:
    """List the addresses of the stack, with user names."""
    from infra.local import addresses

    addresses.show(current(), out(), passwords, as_json=as_json)
