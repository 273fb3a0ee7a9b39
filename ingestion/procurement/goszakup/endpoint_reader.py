"""Short lists and single rows: what is asked for a row of a register, or because a user names it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from ingestion.collecting.client import Answer, Check, Client, NoAnswer, UnreadableAnswer
from ingestion.collecting.page_batch import PageBatch
from ingestion.collecting.run_stats import EndpointStats, RunStats
from ingestion.collecting.state import State
from ingestion.core.message import Message, instant
from ingestion.procurement.goszakup.cursor import CursorRefused, Step, first_address, follow
from ingestion.procurement.goszakup.pages import Envelope, Page, Row, RowReader, read_object, read_page, unreadable
from ingestion.procurement.goszakup.plan import filled_path, own_parameters
from ingestion.procurement.goszakup.versions import Versions
from schemas.procurement.endpoints import Endpoint, details

AGAIN = 3
"""How often a page is asked for again that leads nowhere, past rows, or to an early end: another may have come."""
AT_ONCE = 32
"""Rows whose sub-lists are asked for together; how many requests are really under way, the client decides."""


class ReadRows(NamedTuple):
    """An answer's rows, their events, and messages for quarantine of what is no row."""

    rows: list[Row]
    events: list[Message]
    refused: list[Message]


class EndpointReader:
    """What every part of a run works with: the client, the tallies and the readers of each endpoint's rows."""

    def __init__(self, client: Client, run_stats: RunStats, limit: int, state: State) -> None:
        self.client, self.run_stats, self.limit, self.versions = client, run_stats, limit, Versions(state)
        self.readers: dict[str, RowReader] = {}

    def reader(self, endpoint: Endpoint) -> RowReader:
        if endpoint.name not in self.readers:
            self.readers[endpoint.name] = RowReader(endpoint)
        return self.readers[endpoint.name]

    async def ask(self, endpoint: Endpoint, address: str, stats: EndpointStats, tries: int | None = None) -> Answer:
        """A page of a list, or a bare object as a page of one. Raises as the client does."""
        check: Check = partial(read_page, key=endpoint.key) if endpoint.answer == "page" else read_object
        return await self.client.get(address, check, stats.counts, tries)

    def read(self, endpoint: Endpoint, answer: Answer, path: str, stats: EndpointStats, parent: str = "") -> ReadRows:
        at = instant(answer.at)
        envelope = Envelope(endpoint, path, at, parent, self.client.collection)
        read = ReadRows([], [], [])
        for row in self.reader(endpoint).rows(answer.read.items):
            if isinstance(row, Row):
                read.rows.append(row)
            else:
                stats.quarantined += 1
                read.refused.append(unreadable(endpoint, answer.url, path, at, *row, self.client.collection))
        self.versions.mark(endpoint, read.rows)
        read.events.extend(map(envelope.message, read.rows))
        return read

    async def put_useless(
        self, page_batch: PageBatch, endpoint: Endpoint, path: str, stats: EndpointStats, why: UnreadableAnswer
    ) -> None:
        """An answer that cannot be read goes to quarantine, and is no complete answer."""
        stats.quarantined += 1
        stats.fail(f"{why.url} cannot be read: {why.reason}.")
        await page_batch.put(stats, [self.useless(endpoint, path, why)])

    def useless(self, endpoint: Endpoint, path: str, why: UnreadableAnswer) -> Message:
        """An answer that cannot be read, for quarantine."""
        now = instant(Answer("", b"", None).at)
        return unreadable(endpoint, why.url, path, now, why.body, why.reason, self.client.collection)

    async def put_list(self, page_batch: PageBatch, endpoint: Endpoint, path: str, parent: str = "") -> list[Row]:
        """All pages of a short list, or the object at a path; the rows that came.

        What fails is noted in the tally, and the run goes on.
        """
        is_detail = endpoint.mode == "detail" or bool(endpoint.parent)
        stats = self.run_stats.of(endpoint.name, "detail" if is_detail else "lookup")
        own = own_parameters(endpoint, self.limit) if endpoint.answer == "page" else {}
        address = first_address(path, own)
        last, seen, again = "", set[str](), 0
        rows_read: list[Row] = []
        try:
            while address:
                answer = await self.ask(endpoint, address, stats)
                if answer.read is None:
                    break
                page: Page = answer.read
                read = self.read(endpoint, answer, path.partition("?")[0], stats, parent)
                step = Step("", last)
                refusal: CursorRefused | None = None
                try:
                    if page.next_page:
                        base, from_page = self.client.base, page.next_page
                        step = follow(endpoint, path, base, from_page, last=last, seen=seen, own=own, least=least(read))
                except CursorRefused as why:
                    if again < AGAIN:
                        again += 1
                        stats.counts.retries += 1
                        stats.quarantined -= len(read.refused)  # They come again.
                        continue
                    refusal = why
                await page_batch.put(stats, read.events + read.refused)
                stats.new += len(read.rows)
                rows_read += read.rows
                if refusal:
                    raise refusal
                (address, last), again = step, 0
                seen.add(last)
        except UnreadableAnswer as why:
            await self.put_useless(page_batch, endpoint, path.partition("?")[0], stats, why)
        except (NoAnswer, CursorRefused) as why:
            page_batch.has_failed = True
            stats.fail(str(why))
        return rows_read

    async def put_sub_lists(self, page_batch: PageBatch, register: str, rows: Sequence[Row]) -> None:
        """The sub-lists of these rows of a register."""
        lookups = [
            (detail, value, row.key)
            for row in rows
            for detail in details(register)
            if (value := _first(row, detail.parent_field))
        ]
        for start in range(0, len(lookups), AT_ONCE):
            await asyncio.gather(
                *(
                    self.put_list(page_batch, detail, filled_path(detail, value), parent)
                    for detail, value, parent in lookups[start : start + AT_ONCE]
                )
            )


def least(read: ReadRows) -> str:
    """The least id of a page; empty where some of its rows have none that can be read."""
    ids = [int(row.key) for row in read.rows if row.key.isdecimal()]
    return str(min(ids)) if ids and len(ids) == len(read.rows) and not read.refused else ""


def _first(row: Row, names: Sequence[str]) -> str:
    """The first of these fields that is filled."""
    values = (getattr(row.read, name, None) for name in names)
    return next((str(value) for value in values if value not in (None, "")), "")
