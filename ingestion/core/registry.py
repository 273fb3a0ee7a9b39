"""Sources, found by looking: a module below `ingestion/` or `standins/` that declares a `SOURCE` is one.

Stand-ins are looked for by their folder and never imported by name: they may import this package, not the reverse.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import click
from rich.console import Console

from conf import REPOSITORY, Settings, settings
from ingestion.core.message import Message
from ingestion.core.outcome import AskOutcome
from ingestion.core.publish import Broker, Say

ROOTS = ("ingestion", "standins")
Connect = Callable[[Settings, str, Say], Broker]


@dataclass(frozen=True)
class RunContext:
    """What a source is given of its surroundings: a way to say things to the user, the time, and the settings."""

    say: Say
    now: datetime
    settings: Callable[[], Settings] = settings


class Feed(Protocol):
    """A source that was opened. `total` is how many messages are expected, for the progress bar.

    `again` is the sentence that tells how a run that broke off is completed. After `messages` is exhausted, `figures`
    are added to the summary's JSON and `closing` to its text.
    """

    @property
    def topic(self) -> str: ...

    @property
    def total(self) -> int: ...

    @property
    def again(self) -> str: ...

    def messages(self) -> Iterator[Message]: ...

    def figures(self) -> dict[str, int]: ...

    def closing(self) -> str: ...


@dataclass(frozen=True)
class Source:
    """`open` is called with the surroundings and the values of `parameters`, and may raise Unreadable.

    With `ask_outcome` the run waits until lake and ClickHouse have its events, and says what became of them: the feed
    then has their ``ce_source`` as `source`.
    """

    name: str
    summary: str
    parameters: tuple[click.Parameter, ...]
    open: Callable[..., Feed]
    ask_outcome: AskOutcome | None = None


class CollectorRun(Protocol):
    """A collection that was opened. `run` sends, says how it went, and gives the exit code."""

    def run(self, settings: Settings, console: Console, connect: Connect) -> int: ...


@dataclass(frozen=True)
class Collector:
    """A source that asks a service at its own pace and keeps its own place, so that it runs itself."""

    name: str
    summary: str
    parameters: tuple[click.Parameter, ...]
    open: Callable[..., CollectorRun]


@dataclass(frozen=True)
class SimulatedInput:
    """Writes a file that the source of this name might be handed, from a seed and the instant at which it ends."""

    source: str
    write: Callable[[Path, int, datetime], None]


@dataclass(frozen=True)
class Registered:
    """Every usable source by its name, sorted, and a sentence for each one that is not usable."""

    sources: dict[str, Source | Collector]
    faults: tuple[str, ...]


@lru_cache(maxsize=1)
def registered() -> Registered:
    """Look for sources. What is wrong with one of them leaves the others usable."""
    return look_for_sources(REPOSITORY / root for root in ROOTS)


def look_for_sources(roots: Iterable[Path]) -> Registered:
    """The sources that modules below these folders declare as ``SOURCE``."""
    by_name: dict[str, list[tuple[str, Source | Collector]]] = {}
    faults = []
    for root in roots:
        for name in _declaring(root, "SOURCE"):
            try:
                declared = importlib.import_module(name).SOURCE
            except Exception as problem:
                # Whatever stops the import of one domain, the sources of the others are to work.
                faults.append(f"{name} cannot be imported: {type(problem).__name__}: {problem}")
                continue
            if isinstance(declared, Source | Collector):
                by_name.setdefault(declared.name, []).append((name, declared))
            else:
                faults.append(f"{name} declares a SOURCE that is a {type(declared).__name__}: no source.")
    for name, all_of_name in by_name.items():
        if len(all_of_name) > 1:
            modules = " and ".join(module for module, _ in all_of_name)
            faults.append(f"{name} is declared by {modules}: a source needs a name of its own.")
    sources = {name: declared_by[0][1] for name, declared_by in sorted(by_name.items()) if len(declared_by) == 1}
    return Registered(sources, tuple(faults))


def sources() -> dict[str, Source | Collector]:
    """Every usable source by its name, sorted."""
    return registered().sources


def simulated_input(source: str) -> SimulatedInput:
    """What a stand-in declares as ``SIMULATED_INPUT`` for the source of this name; raises KeyError."""
    for root in ROOTS:
        for name in _declaring(REPOSITORY / root, "SIMULATED_INPUT"):
            declared = importlib.import_module(name).SIMULATED_INPUT
            if isinstance(declared, SimulatedInput) and declared.source == source:
                return declared
    raise KeyError(source)


def _declaring(root: Path, attribute: str) -> Iterator[str]:
    """The modules below a folder of which a line begins with that name: importing all of them would take a second."""
    declares = re.compile(rf"^{attribute}\b\s*[:=]", re.MULTILINE)
    for path in sorted(root.rglob("*.py")):
        if declares.search(path.read_text(encoding="utf-8")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
