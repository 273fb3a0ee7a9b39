"""``./start.sh`` on the command line: its group of commands, and what they share.

A command is a module of `infra/local/commands` that defines the command of its own name (``_`` is written as ``-``).
A call loads its own module only, so that a question to ClickHouse is answered in half a second.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import click
import pydantic
from rich.console import Console

from conf import Settings, settings, wrong_settings
from infra.local import config_files
from infra.local.errors import Failed, Refused
from infra.local.processes import children

PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}
"""For commands that hand the rest of their words on."""


def out() -> Console:
    """Where results go. Wide enough for tables where there is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def current(stack: str | None = None) -> Settings:
    """The settings, or a sentence for each that is wrong. `stack` is used where the user has named none."""
    try:
        chosen = settings()
        if stack and "stack" not in chosen.model_fields_set:
            chosen = chosen.model_copy(update={"stack": stack})
    except pydantic.ValidationError as error:
        raise Refused("Wrong settings:\n" + "\n".join(wrong_settings(error))) from None
    config_files.check_names(chosen)
    return chosen


def pass_on(chosen: Settings, part: str, words: Sequence[str]) -> None:
    """Run one of our modules in the foreground and end with its exit code."""
    code = passed_on(chosen, part, words)
    if code:
        raise SystemExit(code)


def passed_on(chosen: Settings, part: str, words: Sequence[str]) -> int:
    """Run one of our modules in the foreground; its exit code."""
    from infra.local.tools import java

    env = children.environment(chosen, java.remembered(chosen), part)
    child = subprocess.Popen([sys.executable, "-m", *words], env=env, text=True)
    with children.tracked(child):
        code = child.wait()
    return code if code >= 0 else 128 - code


class StackCommand(click.Command):
    """A command that works on a running stack: `needs` are the parts that must answer before it begins."""

    def __init__(self, *words: Any, needs: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*words, **options)
        self.needs = tuple(needs)

    def invoke(self, ctx: click.Context) -> Any:
        if self.needs:
            from infra.local.stack import Stack

            Stack(current()).need(*self.needs)
        return super().invoke(ctx)


class Commands(click.Group):
    """The commands, found by looking; each is imported when it is called, or when all are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        import infra.local.commands

        modules = pkgutil.iter_modules(infra.local.commands.__path__)
        return sorted(module.name.replace("_", "-") for module in modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(importlib.import_module(f"infra.local.commands.{name}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--lite", is_flag=True, help="Leave Airflow out.")
@click.pass_context
def cli(context: click.Context, lite: bool) -> None:
    """Sauda: a streaming lakehouse for trade.

    Without a command: set up what is missing, start everything, send simulated purchases through Kafka, Spark and
    ClickHouse, run the nightly jobs, and show counts, freshness and an answer.

    Settings are environment variables with the prefix SAUDA_ (conf/settings.py). Exit codes: 0 good, 1 something
    failed, 2 your mistake or something missing on this machine, 3 a gate stopped it.
    """
    if context.invoked_subcommand is None:
        from infra.local.start import demo

        demo.run(current(), out(), is_lite=lite)


def _terminated(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run a command and end the process with its exit code: 0 good, 1 failed, 2 the user's mistake."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # As after Ctrl-C: what has to be taken down is taken down.
    signal.signal(signal.SIGTERM, _terminated)
    code = 0
    trouble = Console(stderr=True, highlight=False)
    try:
        cli.main(prog_name="./start.sh", standalone_mode=False)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except (click.exceptions.Abort, KeyboardInterrupt):
        trouble.print("Stopped. ./start.sh goes on from here; ./start.sh down stops what runs.")
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except Failed as error:
        trouble.print(str(error), markup=False, soft_wrap=True, style="red")
        code = error.code
    children.stop_children()
    sys.stdout.flush()
    # Threads of steps that still run are left behind on purpose.
    os._exit(code)
