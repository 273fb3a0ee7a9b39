"""The commands of ``./start.sh``."""

from __future__ import annotations

import os
import sys

import click
import pydantic
from rich.console import Console

from conf import Settings, settings
from infra.local import proc
from infra.local.errors import Failed, Refused
from infra.local.parts import CORE
from infra.local.stack import Stack
from infra.local.steps import Runner

console = Console(highlight=False)
trouble = Console(stderr=True, highlight=False)


def current() -> Settings:
    """The settings, or a sentence for each that is wrong."""
    try:
        return settings()
    except pydantic.ValidationError as error:
        lines = [f"SAUDA_{str(e['loc'][0]).upper()}={e['input']}: {e['msg']}" for e in error.errors()]
        raise Refused("Wrong settings:\n" + "\n".join(lines)) from None


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def cli(context: click.Context) -> None:
    """Sauda: a streaming lakehouse for trade. Without a command: set up, run, and show that it works."""


@cli.command("up-parts", hidden=True)
@click.argument("names", nargs=-1)
def up_parts(names: tuple[str, ...]) -> None:
    """Start Kafka, MinIO and ClickHouse (or the parts named) and wait until they answer."""
    stack = Stack(current())
    with stack.alone():
        stack.check_ports()
        Runner(console).run(stack.up_steps(names or CORE))


@cli.command()
def down() -> None:
    """Stop everything of this stack. The data stays."""
    stack = Stack(current())
    with stack.alone():
        console.print("Stopped." if stack.down() else "Nothing was running.")


def main() -> None:
    """Run a command and end the process with its exit code: 0 good, 1 failed, 2 the user's mistake."""
    try:
        code = cli.main(prog_name="./start.sh", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        code = 130
    except KeyboardInterrupt:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except Failed as error:
        trouble.print(str(error), markup=False, style="red")
        code = error.code
    if code == 130:
        trouble.print("Stopped by Ctrl-C. ./start.sh goes on where it ended; ./start.sh down stops what runs.")
    proc.stop_children()
    sys.stdout.flush()
    # Threads of steps that still run are left behind on purpose.
    os._exit(code)
