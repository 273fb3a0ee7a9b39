"""What belongs together on its way to Kafka: a page's rows and the sub-lists that were fetched for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ingestion.collecting.outbox import Outbox, PageQueue
from ingestion.collecting.run_stats import EndpointStats
from ingestion.core.message import Message


class PageBatch:
    """Rows are counted in their tallies when all of the parcel is acknowledged.

    `has_failed` is set where something that belongs to it was not answered, so that it must be asked for again.
    """

    def __init__(self, outbox: Outbox, line: PageQueue) -> None:
        self._outbox, self._line = outbox, line
        self._batch = line.batch()
        self._rows: list[tuple[EndpointStats, int]] = []
        self.has_failed = False

    async def put(self, stats: EndpointStats, messages: Iterable[Message]) -> None:
        self._rows.append((stats, await self._outbox.send(self._batch, messages)))

    def close(self, done: Callable[[], None] = lambda: None) -> None:
        """Nothing is added any more; `done` is called when it and those before it in the line are acknowledged."""

        def counted() -> None:
            for stats, rows in self._rows:
                stats.rows += rows
            done()

        self._line.close(self._batch, counted)
