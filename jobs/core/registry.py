"""Which function builds which gold table. A table is added by a module with a decorated function; no list is edited."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conf.discovery import modules_below
from jobs.core.errors import Failed
from schemas.contract import Contract, contract, tables

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
        declared = contract(table)
        if declared.name in _registered:
            raise ValueError(f"{declared.name} is built twice")
        if declared.refresh != "nightly":
            raise ValueError(f"{declared.name} is not refreshed nightly, so its builder would never run")
        _registered[declared.name] = Transform(declared, function, shared)
        return function

    return registered


def transforms() -> dict[str, Transform]:
    """Table name → how it is built, found by importing every module below ``jobs/<domain>/``, at any depth.

    Raises Failed where a table or a module would be left out: a nightly table that nothing builds, a folder that is
    no package.
    """
    import_domains()
    missing = unbuilt(tables(), _registered)
    if missing:
        raise Failed("\n".join(missing))
    return dict(sorted(_registered.items()))


def import_domains() -> None:
    """Import every module of every domain, which registers what is decorated in it. Raises Failed for a lost one."""
    import jobs

    try:
        modules_below(jobs, skip=ROOMS)
    except (ImportError, ValueError) as error:
        raise Failed(f"The jobs cannot be registered: {error}") from error


def unbuilt(declared: Iterable[Contract], built: Collection[str]) -> list[str]:
    """A sentence for each nightly table that nothing builds."""
    return [
        f"{table.name} is nightly, and nothing builds it: write {home(table)} with a function under @builds."
        for table in declared
        if table.refresh == "nightly" and table.name not in built
    ]


def home(table: Contract) -> str:
    """The file in which a table's builder stands. The red flag gold.x_flag_y has its own in ``jobs/x/flags/y.py``."""
    name = table.table.removeprefix(f"{table.domain}_")
    return f"jobs/{table.domain}/{name.replace('flag_', 'flags/', 1) if name.startswith('flag_') else name}.py"
