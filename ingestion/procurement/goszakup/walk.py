"""The walk through one register, page by page, each acknowledged by Kafka before its cursor is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

from ingestion.collecting.client import Answer, NoAnswer, UnreadableAnswer
from ingestion.collecting.outbox import Outbox, PageQueue
from ingestion.collecting.page_batch import PageBatch
from ingestion.collecting.run_stats import EndpointStats
from ingestion.collecting.state import KnownRegister, State, Walk
from ingestion.core.errors import IngestError
from ingestion.core.message import Message
from ingestion.procurement.goszakup.changes import Changes
from ingestion.procurement.goszakup.cursor import CursorRefused, follow
from ingestion.procurement.goszakup.endpoint_reader import AGAIN, EndpointReader, ReadRows, least
from ingestion.procurement.goszakup.page_limit import FEW_TRIES, PageLimit, remains
from ingestion.procurement.goszakup.pages import Page, Row, digest
from ingestion.procurement.goszakup.plan import own_parameters
from schemas.procurement.endpoints import Endpoint, details

TOLERATED = 0.001
"""The share of a register's rows that may be missing at its end before that is told: totals are not exact."""


class WalkStopped(IngestError):
    """A register is not walked on, for the sake of what is known of it. Others go on."""


class Walker:
    """Walks registers. Use `walk` for one; several may be walked at the same time.

    `delay` are seconds between two pages of one register. Of the registers in `details` the sub-lists of every row are
    asked for, of others those of new and changed rows only.
    """

    def __init__(
        self, desk: EndpointReader, outbox: Outbox, state: State, *, delay: float = 0.0, details: Collection[str] = ()
    ) -> None:  # fmt: skip
        self._desk, self._outbox, self._state = desk, outbox, state
        self._delay, self._details = delay, details

    async def walk(self, endpoint: Endpoint, walk: Walk, changes: Changes | None = None) -> bool:
        """From where the walk stands to its end. What stops it is noted in the tally; its state stays for a next run.

        `changes` takes the pages of the journal. True where the end was reached and all that belongs to it answered.
        """
        stats = self._desk.run_stats.of(endpoint.name, walk.mode)
        line = PageQueue(self._outbox)
        is_whole = False
        try:
            is_whole = await self._pages(endpoint, walk, changes, stats, line)
        except (NoAnswer, CursorRefused, WalkStopped) as why:
            stats.fail(str(why))
        await line.drained()
        return is_whole

    async def _pages(
        self, endpoint: Endpoint, walk: Walk, changes: Changes | None, stats: EndpointStats, line: PageQueue
    ) -> bool:
        known = self._state.known(endpoint.name)
        seen: set[str] = set()
        narrow, again = PageLimit(self._desk.limit), 0
        fetching = asyncio.ensure_future(self._desk.ask(endpoint, walk.address, stats))
        try:
            while True:
                try:
                    answer = await fetching
                except UnreadableAnswer as why:
                    if narrow.tighten():
                        fetching = self._fetching(endpoint, walk.address, stats, narrow)
                        continue
                    left = remains(why.body)
                    if left is None:
                        await self._give_up(endpoint, stats, line, why)
                        return False
                    page = left
                    answer, read = self._passed(endpoint, stats, why)
                else:
                    if answer.read is None:
                        raise NoAnswer(f"{answer.url} answered 404, where the register {endpoint.name} was expected.")
                    page = answer.read
                    read = self._desk.read(endpoint, answer, endpoint.path, stats)
                    if not walk.pages:
                        _stop_if_gone(endpoint, page, known)
                walk = replace(walk, head=walk.head or _newest(endpoint, read.rows), total=_total(walk, page))
                if not stats.expected and walk.mode == "full":
                    stats.expected = max(0, page.expected - walk.rows)
                refusal: CursorRefused | None = None
                try:
                    after = self._after(endpoint, walk, page, read, seen)
                    why_again = _missing(walk, after, known)
                except CursorRefused as why:
                    after, refusal, why_again = walk, why, str(why)
                if why_again and again < AGAIN:
                    again += 1
                    stats.counts.retries += 1
                    stats.quarantined -= len(read.refused)  # They come again.
                    fetching = self._fetching(endpoint, walk.address, stats, narrow)
                    continue
                if why_again and not refusal:
                    stats.warn(why_again)
                again = 0
                after = replace(after, address=narrow.usual(after.address))
                narrow.was_read(len(read.rows) + len(read.refused))
                if answer.read is None:
                    narrow.widen()
                is_last = after.address == ""
                if not is_last and not refusal:
                    fetching = self._fetching(endpoint, after.address, stats, narrow)
                # At most one page is on its way, so that a run that is killed repeats at most one.
                await line.room()
                page_batch = PageBatch(self._outbox, line)
                await page_batch.put(stats, read.refused)
                fresh = [] if changes else self._fresh(endpoint, known, read.rows)
                if changes:
                    await changes.put(page_batch, answer, endpoint.path, read.rows)
                else:
                    await self._put_rows(page_batch, endpoint, walk, known, read, fresh, stats)
                if refusal:
                    # The page itself is good. It is where the next run begins.
                    page_batch.close()
                    raise refusal
                after = replace(after, is_whole=walk.is_whole and not page_batch.has_failed)
                remembered = _remembers(endpoint) and not page_batch.has_failed
                marks = [(row.key, digest(row.raw)) for row in fresh] if remembered else []
                if is_last:
                    register_after = _known(endpoint, after, known) if after.is_whole and not changes else known
                    page_batch.close(partial(self._state.finish, after, register_after, marks))
                    if not walk.is_whole and stats.is_complete:
                        stats.fail(
                            f"{endpoint.name}: something that belongs to this walk was not answered in an earlier run; "
                            "the next run asks for it again."
                        )
                    return after.is_whole
                page_batch.close(partial(self._state.save, after, marks))
                walk = after
        finally:
            fetching.cancel()
            # Its outcome is of no use any more; unread, it would be complained of.
            await asyncio.gather(fetching, return_exceptions=True)

    def _fetching(
        self, endpoint: Endpoint, address: str, stats: EndpointStats, narrow: PageLimit
    ) -> asyncio.Task[Answer]:
        async def ask_later() -> Answer:
            if self._delay:
                await asyncio.sleep(self._delay)
            tries = FEW_TRIES if narrow.is_on else None
            return await self._desk.ask(endpoint, narrow.narrowed(address), stats, tries)

        return asyncio.ensure_future(ask_later())

    def _passed(self, endpoint: Endpoint, stats: EndpointStats, why: UnreadableAnswer) -> tuple[Answer, ReadRows]:
        """The one row that cannot be read goes to quarantine, and the walk goes past it."""
        stats.quarantined += 1
        stats.warn(f"{why.url} cannot be read and was passed: {why.reason}.")
        return Answer(why.url, why.body, None), ReadRows([], [], [self._desk.useless(endpoint, endpoint.path, why)])

    async def _give_up(self, endpoint: Endpoint, stats: EndpointStats, line: PageQueue, why: UnreadableAnswer) -> None:
        """The page that cannot be read goes to quarantine; without it nobody knows where the next one is."""
        page_batch = PageBatch(self._outbox, line)
        await self._desk.put_useless(page_batch, endpoint, endpoint.path, stats, why)
        page_batch.close()

    def _after(self, endpoint: Endpoint, walk: Walk, page: Page, read: ReadRows, seen: set[str]) -> Walk:
        """The walk as it stands after this page; its address is empty at the end. Raises CursorRefused."""
        counted = _counted(endpoint, walk, read.rows) + len(read.refused)
        after = replace(walk, pages=walk.pages + 1, rows=walk.rows + counted)
        if not page.next_page or _reaches(endpoint, walk, read.rows):
            return replace(after, address="")
        own = own_parameters(endpoint, self._desk.limit, walk.until)
        step = follow(
            endpoint, endpoint.path, self._desk.client.base, page.next_page, last=walk.search_after, seen=seen, own=own,
            least=least(read),
        )  # fmt: skip
        if not page.items and not read.refused and not endpoint.descends:
            raise CursorRefused(f"{endpoint.name}: a page without rows gave {page.next_page!r} as the next one.")
        if not endpoint.descends:
            seen.add(step.search_after)
        return replace(after, address=step.address, search_after=step.search_after)

    def _fresh(self, endpoint: Endpoint, known: KnownRegister | None, rows: list[Row]) -> list[Row]:
        """The rows that are new, as far as can be told."""
        if _remembers(endpoint):
            before = self._state.hashes(endpoint.name, [row.key for row in rows])
            return [row for row in rows if before.get(row.key) != digest(row.raw)]
        if known is None:
            return rows
        newest = _number(known.head)
        return [row for row in rows if _number(row.key) > newest >= 0]

    async def _put_rows(
        self, page_batch: PageBatch, endpoint: Endpoint, walk: Walk, known: KnownRegister | None, read: ReadRows,
        fresh: list[Row], stats: EndpointStats,
    ) -> None:  # fmt: skip
        """The rows and what belongs to them.

        Of the last page of a head the rows that were known are not sent again. Sub-lists of a first load are as many as
        the register has rows: then they are asked for only where the user wants them all.
        """
        stats.new += len(fresh)
        await page_batch.put(stats, read.events if walk.mode == "full" else _those(read, fresh))
        if endpoint.name in self._details:
            await self._desk.put_sub_lists(page_batch, endpoint.name, read.rows)
        elif known or _remembers(endpoint):
            await self._desk.put_sub_lists(page_batch, endpoint.name, fresh)


def _those(read: ReadRows, rows: Sequence[Row]) -> list[Message]:
    """The events of these rows of an answer."""
    keys = {row.key for row in rows}
    return [event for row, event in zip(read.rows, read.events, strict=True) if row.key in keys]


def _remembers(endpoint: Endpoint) -> bool:
    """Whether bytes of rows are remembered: the only way to know which changed in a register without falling ids."""
    return endpoint.mode == "full" and bool(details(endpoint.name))


def _number(text: str) -> int:
    """An id as a number; -1 for what is none."""
    return int(text) if text.isdecimal() else -1


def _counted(endpoint: Endpoint, walk: Walk, rows: Sequence[Row]) -> int:
    """The rows that no page before had, nor the register when it was last walked, as far as can be told."""
    if not endpoint.descends:
        return len(rows)
    below, above = _number(walk.search_after), _number(walk.until) if walk.mode == "head" else -1
    return sum((below < 0 or _number(row.key) < below) and _number(row.key) > above for row in rows)


def _total(walk: Walk, page: Page) -> int:
    """The least that was said: rows that come meanwhile come at the head, and those that leave need not be found."""
    return min(filter(None, (walk.total, page.expected)), default=0)


def _missing(walk: Walk, after: Walk, known: KnownRegister | None) -> str:
    """The sentence where a walk ends before all of the register's rows came; empty where it does not."""
    rows = after.rows + (known.rows if known and walk.mode == "head" else 0)
    if after.address or walk.mode == "changes" or walk.total - rows <= walk.total * TOLERATED:
        return ""
    if walk.mode == "head":
        return (
            f"{walk.register}: the service counts {walk.total:,} rows, and {rows:,} were collected. "
            f"`--full --register {walk.register}` walks it to its end."
        )
    return f"{walk.register}: the service ended with {rows:,} rows, where it counts {walk.total:,}."


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


def _known(endpoint: Endpoint, walk: Walk, before: KnownRegister | None) -> KnownRegister:
    newest = max(walk.head, before.head if before else "", key=_number)
    # A walk from the head has counted what is new.
    rows = walk.rows if walk.mode == "full" or before is None else before.rows + walk.rows
    return KnownRegister(endpoint.name, newest, rows, walk.started_on)


def _stop_if_gone(endpoint: Endpoint, page: Page, known: KnownRegister | None) -> None:
    if endpoint.mode != "changes" and not page.items and known and known.rows:
        raise WalkStopped(
            f"{endpoint.name}: the service shows no row, where it had {known.rows:,} on {known.walked_on}. What is "
            "known of the register stays as it is; look at the service, and run it again."
        )
