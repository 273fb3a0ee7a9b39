"""Which function cleans which topic. A domain is added by a module with one decorated function; no list is edited."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.contract import Contract, contract

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Clean = Callable[["DataFrame"], "DataFrame"]


@dataclass(frozen=True)
class Domain:
    """What both lanes need to know of a topic."""

    event: Contract
    bronze: Contract
    silver: Contract
    quarantine: Contract
    clean: Clean

    @property
    def name(self) -> str:
        return self.silver.domain

    @property
    def topic(self) -> str:
        return self.event.topic


_registered: dict[str, Domain] = {}


def cleans(silver: type, *, quarantine: type) -> Callable[[Clean], Clean]:
    """Register the function that makes the rows of `silver` from the accepted events of its topic.

    It gets one row an event: the envelope, the parsed fields as the struct `e`, and each list exploded by
    `streaming.parse`; it returns the contract's columns. Bronze and the event follow from `built_from`.
    """

    def registered(function: Clean) -> Clean:
        made = contract(silver)
        (bronze,) = made.built_from
        (event,) = bronze.built_from
        domain = Domain(event, bronze, made, contract(quarantine), function)
        if made.name in _registered:
            raise ValueError(f"{made.name} is cleaned twice")
        _registered[made.name] = domain
        return function

    return registered


def domains() -> tuple[Domain, ...]:
    """Every registered domain, found by importing what stands in `streaming/`."""
    import streaming

    for module in pkgutil.iter_modules(streaming.__path__):
        if module.name != "run":
            importlib.import_module(f"streaming.{module.name}")
    return tuple(_registered[name] for name in sorted(_registered))
