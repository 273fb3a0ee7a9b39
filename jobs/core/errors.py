"""The ways a job ends badly. Those that are raised are printed as sentences, never with a stack trace."""

from __future__ import annotations

STOPPED = 3
"""The exit code for what a gate stopped and nothing else hinders: trying again would find the same."""


class Failed(Exception):
    """Something that should have worked did not: exit code 1. The message says what, and what to do next."""

    code = 1


class Refused(Failed):
    """The caller's mistake: exit code 2. The message lists what would be right."""

    code = 2


def sentence(error: BaseException) -> str:
    """The first line of an error: Spark's are followed by pages of plans and stacks."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
