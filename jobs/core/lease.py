"""One batch driver at a time, as jobs say it; see `conf.lease`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from conf import Settings
from conf.lease import NotOurs, take_lease
from jobs.core.errors import Failed


@contextmanager
def lease(settings: Settings, doing: str) -> Iterator[Callable[[], None]]:
    """Hold the lease for the block. Yields what is to be called before each commit; it raises Failed, as does this."""
    try:
        held = take_lease(settings, "jobs", doing)
    except NotOurs as other:
        raise Failed(str(other)) from None

    def still_ours() -> None:
        try:
            held.check()
        except NotOurs as other:
            raise Failed(str(other)) from None

    with held:
        yield still_ours
