"""Which function builds which gold table. A table is added by a module with a decorated function; no list is edited."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.contract import Contract, contract

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ROOMS = ("core", "gates", "commands")
"""What all domains share; every other package of ``jobs/`` is a domain's."""

# Gets one DataFrame a table of `built_from`, in that order.
Build = Callable[..., "DataFrame"]


@dataclass(frozen=True)
class Transform:
    """How a nightly table is made: `build`, over the tables of `built_from` or over what `shared` makes of them.

    A table that keeps versions comes first itself, as it stands.
    """

    contract: Contract
    build: Build
    shared: Build | None = None

    def over(self, *inputs: DataFrame) -> DataFrame:
        """The table's rows, made from scratch."""
        return self.build(self.shared(*inputs)) if self.shared else self.build(*inputs)


_registered: dict[str, Transform] = {}


def builds(table: type, *, shared: Build | None = None) -> Callable[[Build], Build]:
    """Register the function that builds a nightly table.

    `shared` is a first step that several tables have in common: the runner does it once for all of them, keeps its
    result in memory and hands it to the function in place of the inputs.
    """

    def registered(function: Build) -> Build:
        made = contract(table)
        if made.name in _registered:
            raise ValueError(f"{made.name} is built twice")
        _registered[made.name] = Transform(made, function, shared)
        return function

    return registered


def transforms() -> dict[str, Transform]:
    """Table name → how it is built, found by importing every module in ``jobs/<domain>/``."""
    import jobs

    for module in pkgutil.walk_packages(jobs.__path__, "jobs."):
        if module.name.split(".")[1] not in ROOMS:
            importlib.import_module(module.name)
    return dict(sorted(_registered.items()))
