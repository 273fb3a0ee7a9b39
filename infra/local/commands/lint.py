"""``./start.sh lint``: what can be said of the code without running it, before each commit."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import click

from conf import REPOSITORY

CHECKS: dict[str, Sequence[str]] = {
    "types": ("mypy",),
    "format": ("ruff", "format", "--check", "."),
    "lint": ("ruff", "check", "."),
    "imports, names and catalogue": ("pytest", "tests/test_house.py", "tests/schemas/derive/test_docs.py"),
}
"""Modules of Python that are run with these words, the longest first. mypy knows what it has read before."""


@dataclass(frozen=True)
class Finding:
    """How a check ended, and what it printed."""

    title: str
    is_good: bool
    seconds: float
    output: str


def run_check(title: str) -> Finding:
    """A check in a process of its own."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *CHECKS[title]], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    return Finding(title, done.returncode == 0, time.monotonic() - began, done.stdout + done.stderr)


@click.command()
def lint() -> None:
    """Check format, style, types, import directions and the catalogue: 20 s when mypy has run before.

    No parts are started. Exit code 1 where something is wrong; .sauda/tools/venv/bin/ruff format . mends the format.
    """
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run_check, CHECKS))
    for finding in outcomes:
        if not finding.is_good:
            click.echo(finding.output.rstrip())
    for finding in outcomes:
        click.echo(f"{'✓' if finding.is_good else '✗'} {finding.title} {finding.seconds:.0f} s")
    if not all(finding.is_good for finding in outcomes):
        raise SystemExit(1)
