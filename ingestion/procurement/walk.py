"""The walk through one register, page by page, each acknowledged by Kafka before its cursor is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ingestion.errors import IngestError
from ingestion.message import Message
from ingestion.procurement.changes import Changes
from ingestion.procurement.client import Answer, NoAnswer, Useless
from ingestion.procurement.cursor import CursorRefused, follow
from ingestion.procurement.lists import Desk, Read
from ingestion.procurement.outbox import Line, Outbox
from ingestion.procurement.pages import Page, Row, digest
from ingestion.procurement.parcel import Parcel
from ingestion.procurement.plan import own_parameters
from ingestion.procurement.state import Known, State, Walk
from ingestion.procurement.tally import Tally
from schemas.procurement.endpoints import Endpoint, details

AGAIN = 3
"""How often a page with a cursor that leads nowhere is asked for again: the page before may have come for it."""


class Stopped(IngestError):
    """A register is not walked on, for the sake of what is known of it. Others go on."""


class Walker:
    """Walks registers. Use `walk` for one; several may be walked at the same time.

    `delay` are seconds between two pages of one register. With `all_details` the sub-lists of every row are asked for,
    else those of new and changed rows only.
    """

    def __init__(
        self, desk: Desk, outbox: Outbox, state: State, *, delay: float = 0.0, all_details: bool = False
    ) -> None:  # fmt: skip
        self._desk, self._outbox, self._state = desk, outbox, state
        self._delay, self._all_details = delay, all_details

    async def walk(self, endpoint: Endpoint, walk: Walk, changes: Changes | None = None) -> None:
        """From where the walk stands to its end. What stops it is noted in the tally; its state stays for a next run.

        `changes` takes the pages of the journal.
        """
        tally = self._desk.tallies.of(endpoint.name, walk.mode)
        line = Line(self._outbox)
        try:
            await self._pages(endpoint, walk, changes, tally, line)
        except (NoAnswer, CursorRefused, Stopped) as why:
            tally.fail(str(why))
        await line.drained()

    async def _pages(self, endpoint: Endpoint, walk: Walk, changes: Changes | None, tally: Tally, line: Line) -> None:
        known = self._state.known(endpoint.name)
        seen: set[str] = set()
        is_whole, again = True, 0
        fetching = asyncio.ensure_future(self._desk.ask(endpoint, walk.address, tally))
        try:
            while True:
                try:
                    answer = await fetching
                except Useless as why:
                    await self._give_up(endpoint, tally, line, why)
                    return
                if answer.read is None:
                    raise NoAnswer(f"{answer.url} answered 404, where the register {endpoint.name} was expected.")
                page: Page = answer.read
                read = self._desk.read(endpoint, answer, endpoint.path, tally)
                if not walk.pages:
                    _stop_if_gone(endpoint, page, known)
                    walk = replace(walk, head=_newest(endpoint, read.rows))
                if not tally.expected and walk.mode == "full":
                    tally.expected = max(0, page.expected - walk.rows)
                refusal: CursorRefused | None = None
                try:
                    after = self._after(endpoint, walk, page, read.rows, seen)
                    again = 0
                except CursorRefused as why:
                    if again < AGAIN:
                        again += 1
                        tally.counts.retries += 1
                        fetching = asyncio.ensure_future(self._next(endpoint, walk.address, tally))
                        continue
                    after, refusal = walk, why
                is_last = after.address == ""
                if not is_last and not refusal:
                    fetching = asyncio.ensure_future(self._next(endpoint, after.address, tally))
                # At most one page is on its way, so that a run that is killed repeats at most one.
                await line.room()
                parcel = Parcel(self._outbox, line)
                await parcel.put(tally, read.refused)
                fresh = [] if changes else self._fresh(endpoint, known, read.rows)
                if changes:
                    await changes.put(parcel, answer, endpoint.path, read.rows)
                else:
                    await self._put_rows(parcel, endpoint, walk, known, read, fresh, tally)
                if refusal:
                    # The page itself is good. It is where the next run begins.
                    parcel.close()
                    raise refusal
                is_whole &= not parcel.has_failed
                remembered = _remembers(endpoint) and not parcel.has_failed
                marks = [(row.key, digest(row.raw)) for row in fresh] if remembered else []
                if is_last:
                    found = _known(endpoint, after, known) if is_whole and not changes else known
                    parcel.close(partial(self._state.finish, after, found, marks))
                    return
                parcel.close(partial(self._state.save, after, marks))
                walk = after
        finally:
            fetching.cancel()
            # Its outcome is of no use any more; unread, it would be complained of.
            await asyncio.gather(fetching, return_exceptions=True)

    async def _next(self, endpoint: Endpoint, address: str, tally: Tally) -> Answer:
        if self._delay:
            await asyncio.sleep(self._delay)
        return await self._desk.ask(endpoint, address, tally)

    async def _give_up(self, endpoint: Endpoint, tally: Tally, line: Line, why: Useless) -> None:
        """The page that cannot be read goes to quarantine; without it nobody knows where the next one is."""
        parcel = Parcel(self._outbox, line)
        await self._desk.put_useless(parcel, endpoint, endpoint.path, tally, why)
        parcel.close()

    def _after(self, endpoint: Endpoint, walk: Walk, page: Page, rows: Sequence[Row], seen: set[str]) -> Walk:
        """The walk as it stands after this page; its address is empty at the end. Raises CursorRefused."""
        after = replace(walk, pages=walk.pages + 1, rows=walk.rows + len(rows))
        if not page.next_page or _reaches(endpoint, walk, rows):
            return replace(after, address="")
        own = own_parameters(endpoint, self._desk.limit, walk.until)
        step = follow(
            endpoint, endpoint.path, self._desk.client.base, page.next_page, last=walk.search_after, seen=seen, own=own
        )
        if not page.items and not endpoint.descends:
            raise CursorRefused(f"{endpoint.name}: a page without rows gave {page.next_page!r} as the next one.")
        if not endpoint.descends:
            seen.add(step.search_after)
        return replace(after, address=step.address, search_after=step.search_after)

    def _fresh(self, endpoint: Endpoint, known: Known | None, rows: list[Row]) -> list[Row]:
        """The rows that are new, as far as can be told."""
        if _remembers(endpoint):
            before = self._state.hashes(endpoint.name, [row.key for row in rows])
            return [row for row in rows if before.get(row.key) != digest(row.raw)]
        if known is None:
            return rows
        newest = _number(known.head)
        return [row for row in rows if _number(row.key) > newest >= 0]

    async def _put_rows(
        self, parcel: Parcel, endpoint: Endpoint, walk: Walk, known: Known | None, read: Read, fresh: list[Row],
        tally: Tally,
    ) -> None:  # fmt: skip
        """The rows and what belongs to them.

        Of the last page of a head the rows that were known are not sent again. Sub-lists of a first load are as many as
        the register has rows: then they are asked for only where the user wants them all.
        """
        tally.new += len(fresh)
        await parcel.put(tally, read.events if walk.mode == "full" else _those(read, fresh))
        if self._all_details:
            await self._desk.put_sub_lists(parcel, endpoint.name, read.rows)
        elif known or _remembers(endpoint):
            await self._desk.put_sub_lists(parcel, endpoint.name, fresh)


def _those(read: Read, rows: Sequence[Row]) -> list[Message]:
    """The events of these rows of an answer."""
    keys = {row.key for row in rows}
    return [event for row, event in zip(read.rows, read.events, strict=True) if row.key in keys]


def _remembers(endpoint: Endpoint) -> bool:
    """Whether bytes of rows are remembered: the only way to know which changed in a register without falling ids."""
    return endpoint.mode == "full" and bool(details(endpoint.name))


def _number(text: str) -> int:
    """An id as a number; -1 for what is none."""
    return int(text) if text.isdecimal() else -1


def _newest(endpoint: Endpoint, rows: Sequence[Row]) -> str:
    if not endpoint.descends:
        return ""
    newest = max((_number(row.key) for row in rows), default=-1)
    return str(newest) if newest >= 0 else ""


def _reaches(endpoint: Endpoint, walk: Walk, rows: Sequence[Row]) -> bool:
    """Whether a walk from the head has come to an id that was known before."""
    if walk.mode != "head" or not endpoint.descends:
        return False
    return any(0 <= _number(row.key) <= _number(walk.until) for row in rows)


def _known(endpoint: Endpoint, walk: Walk, before: Known | None) -> Known:
    newest = max(walk.head, before.head if before else "", key=_number)
    # A walk from the head has not counted the register, only seen that it is still there.
    rows = walk.rows if walk.mode == "full" or before is None else max(before.rows, walk.rows)
    return Known(endpoint.name, newest, rows, walk.started_on)


def _stop_if_gone(endpoint: Endpoint, page: Page, known: Known | None) -> None:
    if endpoint.mode != "changes" and not page.items and known and known.rows:
        raise Stopped(
            f"{endpoint.name}: the service shows no row, where it had {known.rows:,} on {known.walked_on}. What is "
            "known of the register stays as it is; look at the service, and run it again."
        )
