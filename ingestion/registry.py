"""Sources, found by looking: a module of `ingestion/` that declares a `SOURCE` is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol

import click

from ingestion.message import Message

Say = Callable[[str], None]


@dataclass(frozen=True)
class Around:
    """What a source is given of its surroundings: a way to say things to the user, and the time."""

    say: Say
    now: datetime


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
    """`open` is called with the surroundings and the values of `parameters`, and may raise Unreadable."""

    name: str
    summary: str
    parameters: tuple[click.Parameter, ...]
    open: Callable[..., Feed]


@lru_cache(maxsize=1)
def sources() -> dict[str, Source]:
    """Every source by its name, sorted."""
    import ingestion

    found: dict[str, Source] = {}
    for module in pkgutil.iter_modules(ingestion.__path__):
        if module.name == "run":
            continue
        declared = getattr(importlib.import_module(f"ingestion.{module.name}"), "SOURCE", None)
        if isinstance(declared, Source):
            if declared.name in found:
                raise ValueError(f"two modules of ingestion/ declare the source {declared.name}")
            found[declared.name] = declared
    return dict(sorted(found.items()))
