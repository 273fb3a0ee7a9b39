"""``./start.sh bench``: measurements against rivals."""

from __future__ import annotations

import click

from infra.local.command_line import PASSED_ON, current, out, pass_on
from infra.local.errors import Refused
from infra.local.stack import Stack
from infra.local.steps import StepRunner


@click.command(context_settings=PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure against rivals, on a stack of its own (stack `bench`). ARGUMENTS go to bench/run.py."""
    from infra.local import deploy

    chosen = current("bench")
    if chosen.stack == "main":
        raise Refused("The measurements take their stack down, so they do not run on `main`: unset SAUDA_STACK.")
    stack = Stack(chosen)
    with stack.alone():
        stack.check_ports()
        try:
            StepRunner(out()).run(
                [*stack.up_steps(), *stack.database_steps(), *deploy.steps(chosen), stack.archive_step()]
            )
            pass_on(chosen, "bench", ["bench.run", *arguments])
        finally:
            stack.down()
