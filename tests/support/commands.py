"""Sauda's commands, run in the process of the tests: they share one Java, where each would start a cold one."""

from __future__ import annotations

import io
import os
import runpy
import subprocess
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest import mock

import click

from conf import REPOSITORY, settings


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def run_command(module: str, *arguments: str, separate: bool = False) -> Ended:
    """``python -m module arguments…`` to its end, with the environment as it is now.

    It runs in this process, on the Java that earlier commands have warmed up. `separate` gives it a process of its
    own, as has a command beside a Spark session that a test holds.
    """
    if separate or _session_stands():
        words = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(words, cwd=REPOSITORY, text=True, capture_output=True, check=False, timeout=600)
        return Ended(done.returncode, done.stdout, done.stderr)
    out, err, code = io.StringIO(), io.StringIO(), 0
    settings.cache_clear()
    try:
        with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # What a command leaves in the environment is its own affair; its niceness would stay with the tests.
            with (
                mock.patch.dict(os.environ),
                mock.patch.object(sys, "argv", [module, *arguments]),
                mock.patch.object(os, "setpriority"),
            ):
                runpy.run_module(module, run_name="__main__", alter_sys=False)
    except SystemExit as end:
        code = _exit_code(end.code, err)
    finally:
        settings.cache_clear()
    return Ended(code, out.getvalue(), err.getvalue())


def exit_code(command: click.Command, words: Sequence[str]) -> int:
    """Call a command in this process, on what the test has put in place of its parts; the code that it ends with."""
    try:
        command.main(list(words), prog_name="test")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _exit_code(given: Any, err: io.StringIO) -> int:
    """As Python's own: no code is 0, a text is printed and is 1."""
    if given is None or isinstance(given, int):
        return int(given or 0)
    err.write(f"{given}\n")
    return 1


def _session_stands() -> bool:
    if "pyspark.sql" not in sys.modules:
        return False
    from pyspark.sql import SparkSession

    session = SparkSession._instantiatedSession
    return session is not None and session._sc._jsc is not None
