"""Short lists and single rows: what is asked for a row of a register, or because a user names it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from ingestion.collecting.client import Answer, Check, Client, NoAnswer, UnreadableAnswer
from ingestion.collecting.page_batch import Parcel
from ingestion.collecting.run_stats import Tallies, Tally
from ingestion.collecting.state import State
from ingestion.core.message import Message, instant
from ingestion.procurement.goszakup.cursor import CursorRefused, Step, first_address, follow
from ingestion.procurement.goszakup.pages import Envelope, Page, Reader, Row, read_object, read_page, unreadable
from ingestion.procurement.goszakup.plan import filled, own_parameters
from ingestion.procurement.goszakup.versions import Versions
from schemas.procurement.endpoints import Endpoint, details

AGAIN = 3
"""How often a page is asked for again that leads nowhere, past rows, or to an early end: another may have come."""
AT_ONCE = 32
"""Rows whose sub-lists are asked for together; how many requests are really under way, the client decides."""


class Read(NamedTuple):
    """An answer's rows, their events, and messages for quarantine of what is no row."""

    rows: list[Row]
    events: list[Message]
    refused: list[Message]


class Desk:
    """What every part of a run works with: the client, the tallies and the readers of each endpoint's rows."""

    def __init__(self, client: Client, tallies: Tallies, limit: int, state: State) -> None:
        self.client, self.tallies, self.limit, self.versions = client, tallies, limit, Versions(state)
        self.readers: dict[str, Reader] = {}

    def reader(self, endpoint: Endpoint) -> Reader:
        if endpoint.name not in self.readers:
            self.readers[endpoint.name] = Reader(endpoint)
        return self.readers[endpoint.name]

    async def ask(self, endpoint: Endpoint, address: str, tally: Tally, tries: int | None = None) -> Answer:
        """A page of a list, or a bare object as a page of one. Raises as the client does."""
        check: Check = partial(read_page, key=endpoint.key) if endpoint.answer == "page" else read_object
        return await self.client.get(address, check, tally.counts, tries)

    def read(self, endpoint: Endpoint, answer: Answer, path: str, tally: Tally, parent: str = "") -> Read:
        at = instant(answer.at)
        envelope = Envelope(endpoint, path, at, parent, self.client.collection)
        read = Read([], [], [])
        for row in self.reader(endpoint).rows(answer.read.items):
            if isinstance(row, Row):
                read.rows.append(row)
            else:
                tally.quarantined += 1
                read.refused.append(unreadable(endpoint, answer.url, path, at, *row, self.client.collection))
        self.versions.mark(endpoint, read.rows)
        read.events.extend(map(envelope.message, read.rows))
        return read

    async def put_useless(
        self, parcel: Parcel, endpoint: Endpoint, path: str, tally: Tally, why: UnreadableAnswer
    ) -> None:
        """An answer that cannot be read goes to quarantine, and is no complete answer."""
        tally.quarantined += 1
        tally.fail(f"{why.url} cannot be read: {why.reason}.")
        await parcel.put(tally, [self.useless(endpoint, path, why)])

    def useless(self, endpoint: Endpoint, path: str, why: UnreadableAnswer) -> Message:
        """An answer that cannot be read, for quarantine."""
        now = instant(Answer("", b"", None).at)
        return unreadable(endpoint, why.url, path, now, why.body, why.reason, self.client.collection)

    async def put_list(self, parcel: Parcel, endpoint: Endpoint, path: str, parent: str = "") -> list[Row]:
        """All pages of a short list, or the object at a path; the rows that came.

        What fails is noted in the tally, and the run goes on.
        """
        is_detail = endpoint.mode == "detail" or bool(endpoint.parent)
        tally = self.tallies.of(endpoint.name, "detail" if is_detail else "lookup")
        own = own_parameters(endpoint, self.limit) if endpoint.answer == "page" else {}
        address = first_address(path, own)
        last, seen, again = "", set[str](), 0
        found: list[Row] = []
        try:
            while address:
                answer = await self.ask(endpoint, address, tally)
                if answer.read is None:
                    break
                page: Page = answer.read
                read = self.read(endpoint, answer, path.partition("?")[0], tally, parent)
                step = Step("", last)
                refusal: CursorRefused | None = None
                try:
                    if page.next_page:
                        base, from_page = self.client.base, page.next_page
                        step = follow(endpoint, path, base, from_page, last=last, seen=seen, own=own, least=least(read))
                except CursorRefused as why:
                    if again < AGAIN:
                        again += 1
                        tally.counts.retries += 1
                        tally.quarantined -= len(read.refused)  # They come again.
                        continue
                    refusal = why
                await parcel.put(tally, read.events + read.refused)
                tally.new += len(read.rows)
                found += read.rows
                if refusal:
                    raise refusal
                (address, last), again = step, 0
                seen.add(last)
        except UnreadableAnswer as why:
            await self.put_useless(parcel, endpoint, path.partition("?")[0], tally, why)
        except (NoAnswer, CursorRefused) as why:
            parcel.has_failed = True
            tally.fail(str(why))
        return found

    async def put_sub_lists(self, parcel: Parcel, register: str, rows: Sequence[Row]) -> None:
        """The sub-lists of these rows of a register."""
        asked = [
            (detail, value, row.key)
            for row in rows
            for detail in details(register)
            if (value := _first(row, detail.parent_field))
        ]
        for start in range(0, len(asked), AT_ONCE):
            await asyncio.gather(
                *(
                    self.put_list(parcel, detail, filled(detail, value), parent)
                    for detail, value, parent in asked[start : start + AT_ONCE]
                )
            )


def least(read: Read) -> str:
    """The least id of a page; empty where some of its rows have none that can be read."""
    ids = [int(row.key) for row in read.rows if row.key.isdecimal()]
    return str(min(ids)) if ids and len(ids) == len(read.rows) and not read.refused else ""


def _first(row: Row, names: Sequence[str]) -> str:
    """The first of these fields that is filled."""
    values = (getattr(row.read, name, None) for name in names)
    return next((str(value) for value in values if value not in (None, "")), "")
