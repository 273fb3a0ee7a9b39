"""How a load of registers ends: what was sent is waited for, and what silver then holds is judged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from conf import Settings
from conf.domains.procurement import ProcurementSettings
from infra.local.parts import trouble
from infra.local.processes import children
from infra.local.tools import java
from schemas.contract import contracts
from schemas.derive.latest_views import versioned
from schemas.procurement.endpoints import by_name

NEEDED = ("kafka", "stream", "clickhouse")
MINUTES = 30
"""How long the lake and ClickHouse are waited for: a first load of all registers takes them that long."""


def is_checked(source: str, words: Sequence[str]) -> bool:
    """Whether what a load brings is judged by `check`: its tables belong to collections, and it sends something."""
    domain = source.partition(".")[0]
    registers = [value.partition("=")[0] for value in given(words, "--register")]
    shown = [name for name in registers if name in by_name() and by_name()[name].event_type is None]
    is_only_shown = bool(registers) and shown == registers
    return not is_only_shown and any(t.domain == domain and "collection_code" in t.columns for t in versioned())


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
    collection = ("--collection", collection_of(chosen, words))
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


def collection_of(chosen: Settings, words: Sequence[str]) -> str:
    """The collection that a load fills: the one it names, or the one of the service that it asks."""
    if named := given(words, "--collection"):
        return named[-1]
    return ProcurementSettings.of(chosen.at_standin() if "--stand-in" in words else chosen).goszakup_collection


def given(words: Sequence[str], option: str) -> list[str]:
    """The values of an option, written as ``--option value`` or ``--option=value``."""
    apart = [words[place + 1] for place, word in enumerate(words[:-1]) if word == option]
    return apart + [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
