"""The reference of the commands, made from the commands: ``python -m infra.local.reference`` writes it.

A test holds that docs/reference/commands.md is what this makes.
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from conf import REPOSITORY
from infra.local.command_line import StackCommand, cli

FILE = REPOSITORY / "docs" / "reference" / "commands.md"
HEAD = """# Commands

Made by `python -m infra.local.reference`; do not edit.

Without a command, `./start.sh` sets up what is missing, starts everything, runs the demo, and shows counts, freshness
and an answer; `--lite` leaves Airflow out.

Exit codes: 0 good, 1 something failed, 2 your mistake or something missing on this machine, 3 a gate stopped it (`job`,
`check`). Every command may be run again, after Ctrl-C or `kill -9` too.

| command | does | needs |
|---|---|---|
"""


def commands() -> list[click.Command]:
    """The commands that people use, by name."""
    context = click.Context(cli)
    listed = (cli.get_command(context, name) for name in cli.list_commands(context))
    return [command for command in listed if command and not command.hidden]


def usage(command: click.Command, path: str) -> str:
    """``./start.sh job NAME [--day DAY]``, as it is typed."""
    words = [path]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            value = "" if parameter.is_flag else f" {parameter.make_metavar(click.Context(command))}"
            words.append(f"[{max(parameter.opts, key=len)}{value}]")
        else:
            metavar = parameter.make_metavar(click.Context(command))
            words.append(metavar)
    return " ".join(words)


def sections(command: click.Command, path: str) -> Iterator[str]:
    """A section for a command, and one for each command below it."""
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from sections(command.commands[name], f"{path} {name}")
        return
    text = "\n".join(line.strip() for line in (command.help or "").strip().splitlines())
    lines = [f"## {path.removeprefix('./start.sh ')}", f"`{usage(command, path)}`", text]
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if options:
        lines.append(
            "| option | |\n|---|---|\n"
            + "\n".join(f"| `{', '.join(each.opts)}` | {each.help or ''} |" for each in options)
        )
    yield "\n\n".join(lines)


def document() -> str:
    """The whole page."""
    rows: list[str] = []
    parts: list[str] = []
    for command in commands():
        path = f"./start.sh {command.name}"
        needs = ", ".join(command.needs) if isinstance(command, StackCommand) else ""
        rows.append(f"| `{path}` | {command.get_short_help_str(200)} | {needs} |")
        parts += sections(command, path)
    return HEAD + "\n".join(rows) + "\n\n" + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
