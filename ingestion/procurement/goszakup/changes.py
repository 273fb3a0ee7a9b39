"""What the journal tells: rows that were deleted, and rows that changed and are fetched anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

from ingestion.collecting.client import Answer, NoAnswer, UnreadableAnswer
from ingestion.collecting.page_batch import PageBatch
from ingestion.core.message import instant
from ingestion.procurement.goszakup.cursor import VERSIONED, first_address
from ingestion.procurement.goszakup.endpoint_reader import EndpointReader
from ingestion.procurement.goszakup.pages import Envelope, Row
from ingestion.procurement.goszakup.plan import filled_path
from schemas.procurement.endpoints import Endpoint, by_name, by_path, by_service, item_of

AT_ONCE = 32
DELETED, UPDATED = "D", "U"


class Changes:
    """Takes pages of the journal. `only` are the registers whose changes are wanted; empty means all.

    `unknown` collects what the journal names and the table of endpoints does not.
    """

    def __init__(self, desk: EndpointReader, only: frozenset[str] = frozenset()) -> None:
        self._desk, self._only = desk, only
        self._fetched: set[int] = set()
        self.unknown: set[str] = set()

    async def put(self, page_batch: PageBatch, answer: Answer, path: str, rows: Sequence[Row]) -> None:
        """Deleted rows as events of their own, changed rows as what they are now, once a run."""
        journal = by_name()["journal"]
        stats = self._desk.run_stats.of(journal.name)
        envelope = Envelope(journal, path, instant(answer.at), collection=self._desk.client.collection)
        wanted = [row for row in rows if self._is_wanted(row)]
        await page_batch.put(stats, [envelope.message(row) for row in wanted if row.read.action == DELETED])
        for row in wanted:
            register = by_service(str(row.read.service_name))
            if row.read.action == DELETED and register is not None:
                self._desk.versions.left(register, str(row.read.object_id), row.raw)
        changed = [row for row in wanted if row.read.action == UPDATED and self._is_first(row)]
        for row in rows:
            if row.read.action not in (DELETED, UPDATED):
                self.unknown.add(f"the action {row.read.action!r}")
        stats.new += len(wanted)
        for start in range(0, len(changed), AT_ONCE):
            await asyncio.gather(*(self._fetch(page_batch, row) for row in changed[start : start + AT_ONCE]))

    def _is_wanted(self, row: Row) -> bool:
        if not self._only:
            return True
        register = by_service(str(row.read.service_name))
        return register is not None and register.name in self._only

    def _is_first(self, row: Row) -> bool:
        mark = hash(row.key)
        is_first = mark not in self._fetched
        self._fetched.add(mark)
        return is_first

    async def _fetch(self, page_batch: PageBatch, row: Row) -> None:
        register = by_service(str(row.read.service_name))
        target = _at(row.read.url or "")
        if target is None and register is not None:
            item = item_of(register.name)
            target = (item, str(row.read.object_id)) if item else None
        if target is not None:
            endpoint, value = target
            rows = await self._desk.put_list(page_batch, endpoint, filled_path(endpoint, value))
            if endpoint.item_of:
                await self._desk.put_sub_lists(page_batch, endpoint.item_of, rows)
        elif register is not None and register.descends and str(row.read.object_id).isdecimal():
            await self._fetch_by_cursor(page_batch, register, int(row.read.object_id))
        else:
            self.unknown.add(f"the service {row.read.service_name!r}")

    async def _fetch_by_cursor(self, page_batch: PageBatch, register: Endpoint, number: int) -> None:
        """A register without a path for one row: the page of one that begins below the next greater id."""
        stats = self._desk.run_stats.of(register.name)
        address = first_address(register.path, {"page": "next", "search_after": str(number + 1), "limit": "1"})
        try:
            answer = await self._desk.ask(register, address, stats)
        except UnreadableAnswer as why:
            await self._desk.put_useless(page_batch, register, register.path, stats, why)
            return
        except NoAnswer as why:
            page_batch.has_failed = True
            stats.fail(str(why))
            return
        if answer.read is None:
            return
        read = self._desk.read(register, answer, register.path, stats)
        if not any(row.key == str(number) for row in read.rows):
            stats.counts.not_found += 1
        await page_batch.put(stats, read.events + read.refused)


def _at(url: str) -> tuple[Endpoint, str] | None:
    """The endpoint that the journal's address means, and its value. The host is not looked at: ours is asked."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    target = by_path(path if VERSIONED.match(path) else f"/v3{path}")
    if target is None or target[0].schedule not in ("detail", "lookup"):
        return None
    endpoint, value = target[0], unquote(target[1])
    if not value and endpoint.parameter:
        value = next((value for name, value in parse_qsl(parts.query) if name == endpoint.parameter), "")
    return (endpoint, value) if value else None
