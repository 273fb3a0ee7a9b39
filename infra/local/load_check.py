"""How a load into a collection ends: what was sent is waited for, and what silver then holds is judged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence

from conf import Settings
from infra.local import domains
from infra.local.parts import trouble
from infra.local.processes import children
from infra.local.tools import java
from schemas.contract import contracts
from schemas.derive.latest_views import versioned

NEEDED = ("kafka", "stream", "clickhouse")
MINUTES = 30
"""How long the lake and ClickHouse are waited for: a first load of all registers takes them that long."""


def is_checked(source: str, words: Sequence[str]) -> bool:
    """Whether what a load brings is judged by `check`: its tables belong to collections, and it sends something."""
    domain = source.partition(".")[0]
    if not any(t.domain == domain and "collection_code" in t.columns for t in versioned()):
        return False
    brings_events: Callable[[Sequence[str]], bool] = domains.of(domain, "brings_events", lambda _: True)
    return brings_events(words)


def check(chosen: Settings, source: str, words: Sequence[str]) -> int:
    """Wait for a load and check its collection; the exit code of the check, 1 where it was not waited for in vain.

    `words` are those that the load was called with. Where the load ends with JSON, this goes to stderr.
    """
    domain = source.partition(".")[0]
    topics = sorted({c.topic for c in contracts() if c.topic and c.domain == domain})
    away = [name for name in NEEDED if trouble(chosen, name)]
    out = sys.stderr if "--json" in words else sys.stdout
    if away:
        print(
            f"What was sent is not checked, since {', '.join(away)} does not answer. Later: ./start.sh check {domain}",
            file=out, flush=True,
        )  # fmt: skip
        return 0
    collection_of = domains.of(domain, "collection_of")
    collection = ("--collection", collection_of(chosen, words)) if collection_of else ()
    for command in (
        ("jobs.commands.settle", *topics, "--minutes", str(MINUTES)),
        ("jobs.commands.check", domain, *collection),
    ):
        env = children.environment(chosen, java.remembered(chosen), "job")
        child = subprocess.Popen([sys.executable, "-m", *command], env=env, text=True, stdout=out)
        with children.tracked(child):
            code = child.wait()
        if code:
            return code if code > 0 else 128 - code
    return 0


def given(words: Sequence[str], option: str) -> list[str]:
    """The values of an option, written as ``--option value`` or ``--option=value``."""
    apart = [words[place + 1] for place, word in enumerate(words[:-1]) if word == option]
    return apart + [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
