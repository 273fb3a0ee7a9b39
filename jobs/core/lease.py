"""One batch driver at a time writes a domain's tables; the errors of `conf.lease` become those of jobs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from conf import Settings
from conf.lease import NotOurs, take_lease
from jobs.core.errors import Failed


@contextmanager
def lease(settings: Settings, doing: str, domains: Collection[str]) -> Iterator[Callable[[], None]]:
    """Hold the lease of these domains for the block.

    Yields a function to call before each commit. Both raise Failed where another process writes the tables.
    """
    try:
        held = take_lease(settings, "jobs", doing, domains)
    except NotOurs as other:
        raise Failed(str(other)) from None

    def still_ours() -> None:
        try:
            held.check()
        except NotOurs as other:
            raise Failed(str(other)) from None

    with held:
        yield still_ours
