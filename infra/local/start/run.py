"""One start with its demo: what it is run on, and what it learns on its way."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conf import Settings
from infra.local.errors import Failed
from infra.local.processes import children
from infra.local.stack import Stack
from infra.local.steps import Step

COUNTED = "Counts before"
"""The step after which events may be sent."""


@dataclass(frozen=True)
class DomainStep:
    """A step of a domain's demo, and what waits for it."""

    step: Step
    sends_events: bool = False
    """The lake is complete when it has these events too."""
    feeds_nightly: bool = False
    """The nightly jobs read what it brings."""
    is_live: bool = False
    """The first live answer is about these events."""


@dataclass(frozen=True)
class Question:
    """A question in words, and its SQL."""

    text: str
    sql: str


@dataclass
class Run:
    """What one demo learns on its way."""

    settings: Settings
    stack: Stack
    began: float = field(default_factory=time.monotonic)
    before: dict[str, int] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    freshness: list[float] = field(default_factory=list)
    nightly: dict[str, Any] = field(default_factory=dict)

    def command(self, what: str, *words: str, on_line: Callable[[str], None] | None = None) -> str:
        """Run one of our own commands to its end."""
        env = children.environment(self.settings, self.stack.tools.java_home, part="demo")
        return children.run([sys.executable, "-m", *words], what, env=env, on_line=on_line)

    def ingest(self, what: str, *words: str) -> dict[str, Any]:
        """Run a source to its end; its own account."""
        return last_json(self.command(what, "ingestion.core.run", *words, "--json"))

    def total(self, name: str) -> int:
        """A figure of the simulator over everything sent in this run."""
        return sum(int(account.get(name, 0)) for account in self.sent)


def last_json(output: str) -> dict[str, Any]:
    """The last line that is a JSON object; `Failed` when there is none."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            account: dict[str, Any] = json.loads(line)
            return account
    raise Failed(f"A command ended without the account it owes:\n{output[-500:]}")
