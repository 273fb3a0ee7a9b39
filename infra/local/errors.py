"""The two ways a command ends badly. Both are printed as a sentence, never with a stack trace."""

from __future__ import annotations


class Failed(Exception):
    """Something that should have worked did not: exit code 1. The message says what, and what to do next."""

    code = 1


class Tolerated(Failed):
    """A step ended badly, and the steps after it may go on."""


class Refused(Failed):
    """The user's mistake, or something missing on this machine: exit code 2. The message says the remedy."""

    code = 2
