"""Sources, found by looking: a module of `ingestion/` or of a package in it that declares a `SOURCE` is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Protocol

import click
from rich.console import Console

from conf import Settings, settings
from ingestion.core.message import Message
from ingestion.core.publish import Broker, Say

Connect = Callable[[Settings, str, Say], Broker]


@dataclass(frozen=True)
class Around:
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

    Where `is_followed`, the run waits until lake and ClickHouse have its events, and says what became of them: the feed
    then has their ``ce_source`` as `source`.
    """

    name: str
    summary: str
    parameters: tuple[click.Parameter, ...]
    open: Callable[..., Feed]
    is_followed: bool = False


class Errand(Protocol):
    """A collection that was opened. `run` sends, says how it went, and gives the exit code."""

    def run(self, settings: Settings, console: Console, connect: Connect) -> int: ...


@dataclass(frozen=True)
class Collector:
    """A source that asks a service at its own pace and keeps its own place, so that it runs itself."""

    name: str
    summary: str
    parameters: tuple[click.Parameter, ...]
    open: Callable[..., Errand]


def _may_declare(module: pkgutil.ModuleInfo) -> bool:
    """Whether the module's text begins a line with ``SOURCE``: importing all of them would take a second."""
    spec = module.module_finder.find_spec(module.name, None)
    return spec is not None and spec.origin is not None and "\nSOURCE" in Path(spec.origin).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def sources() -> dict[str, Source | Collector]:
    """Every source by its name, sorted."""
    import ingestion
    import standins

    found: dict[str, Source | Collector] = {}
    packages = (pkgutil.walk_packages(root.__path__, f"{root.__name__}.") for root in (ingestion, standins))
    for module in chain.from_iterable(packages):
        if module.name == "ingestion.core.run" or not _may_declare(module):
            continue
        declared = getattr(importlib.import_module(module.name), "SOURCE", None)
        if isinstance(declared, Source | Collector):
            if declared.name in found:
                raise ValueError(f"two modules declare the source {declared.name}")
            found[declared.name] = declared
    return dict(sorted(found.items()))
