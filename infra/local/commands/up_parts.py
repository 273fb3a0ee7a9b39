"""``./start.sh up-parts``: start parts without a demo, for tests and measurements."""

from __future__ import annotations

import click

from infra.local.command_line import current, out
from infra.local.parts import declared
from infra.local.stack import Stack
from infra.local.steps import StepRunner


@click.command(hidden=True)
@click.argument("names", nargs=-1)
def up_parts(names: tuple[str, ...]) -> None:
    """Start Kafka, MinIO and ClickHouse (or the parts named) and wait until they answer."""
    stack = Stack(current())
    known = declared(stack.settings)
    if unknown := [name for name in names if name not in known]:
        raise click.BadParameter(f"{unknown[0]!r} is no part; there are {', '.join(known)}")
    with stack.alone():
        stack.check_ports()
        StepRunner(out()).run([*stack.up_steps(names), stack.archive_step()])
