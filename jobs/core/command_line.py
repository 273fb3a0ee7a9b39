"""What the commands of jobs share: a sentence and an exit code for what a person can mend."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

import click

from jobs.core.errors import Failed

P = ParamSpec("P")


def with_exit_code(command: Callable[P, int]) -> Callable[P, None]:
    """End the process with the code that the command returns; `Failed` is printed as a sentence, with its own code."""

    @functools.wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> None:
        try:
            code = command(*args, **options)
        except Failed as error:
            click.echo(str(error), err=True)
            code = error.code
        if code:
            sys.exit(code)

    return run
