"""One run of the collection: registers side by side under one limit of speed, then what the journal tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import date
from time import time
from typing import Any, Protocol

import msgspec

from ingestion.collecting.client import Client, DamagedBody, NoAnswer, UnreadableAnswer
from ingestion.collecting.outbox import Outbox, PageQueue
from ingestion.collecting.page_batch import PageBatch
from ingestion.collecting.run_stats import EndpointStats, RunStats
from ingestion.collecting.state import State, Walk
from ingestion.procurement.goszakup.changes import Changes
from ingestion.procurement.goszakup.endpoint_reader import EndpointReader
from ingestion.procurement.goszakup.plan import (
    JOURNAL_ON,
    LOADED_ON,
    CollectionRequest,
    Lookup,
    Plan,
    follow_up_walk,
    journal_reached,
    loaded_on,
)
from ingestion.procurement.goszakup.walk import Walker
from schemas.procurement.endpoints import by_name

SHOW_EVERY = 0.2
GRAPHQL_LIMIT = 200
Say = Callable[[str], None]


class Watcher(Protocol):
    """What tells of a run while it goes on; `update` is called a few times a second."""

    def update(self) -> None: ...


@dataclass
class CollectionRun:
    """All that one run works with. `print` takes what is shown and not sent; `say` takes sentences."""

    request: CollectionRequest
    plan: Plan
    client: Client
    outbox: Outbox
    state: State
    today: date
    limit: int
    delay: float
    say: Say
    print: Say
    run_stats: RunStats = field(default_factory=RunStats)

    def __post_init__(self) -> None:
        self._desk = EndpointReader(self.client, self.run_stats, self.limit, self.state)
        self._walker = Walker(
            self._desk, self.outbox, self.state, delay=self.delay, details=self.request.details
        )  # fmt: skip

    async def carry_out(self, *watchers: Watcher) -> None:
        """Everything that is planned. Raises CredentialsRefused and BrokerLost, after which the next run goes on."""
        self.state.begin(self.request.load, self.today, self.request.goes_on_since(self.today))
        async with self.client:
            try:
                await _first_of(self._work(), self.outbox.run(), _shown(watchers))
            except BaseException as why:
                for stats in self.run_stats:
                    if not stats.finished:
                        stats.fail(str(why) or "It was broken off.")
                raise
            finally:
                for stats in self.run_stats:
                    stats.finished = stats.finished or time()
        # What failed is tried again by the next full load, which takes long. A daily one asks for everything again.
        if self.run_stats.is_complete or not self.request.full:
            self.state.end(self.request.load)

    async def _work(self) -> None:
        loaded = loaded_on(self.state, self.plan.walks)
        if loaded:
            self.state.note(LOADED_ON, loaded)
        walks = [self._walk(walk) for walk in self.plan.walks]
        await _together(*walks, *(self._look_up(lookup) for lookup in self.plan.lookups))
        if self.plan.journal:
            await self._ask_journal(self.plan.journal)
        elif not self.request.names and not self.state.fact(JOURNAL_ON):
            # From the day on which the first load began, of whatever register, the journal tells what changed since.
            self.state.note(JOURNAL_ON, loaded or self.today.isoformat())

    async def _walk(self, walk: Walk) -> None:
        endpoint = by_name()[walk.register]
        stats = self.run_stats.of(endpoint.name, walk.mode)
        was_taken_up = walk.pages > 0
        await self._walker.walk(endpoint, walk)
        newer = (
            follow_up_walk(self.state, endpoint, self.today, self.limit) if was_taken_up and stats.is_complete else None
        )
        if newer and not self.request.full:
            await self._walker.walk(endpoint, newer)
        self._warn(stats)
        stats.finished = time()

    def _warn(self, stats: EndpointStats) -> None:
        for warning in stats.warnings:
            self.say(warning)

    async def _ask_journal(self, walk: Walk) -> None:
        journal = by_name()[walk.register]
        changes = Changes(self._desk, frozenset(filter(None, walk.only.split(","))))
        is_whole = await self._walker.walk(journal, walk, changes)
        stats = self.run_stats.of(journal.name)
        if changes.unknown:
            unknown_names = ", ".join(sorted(changes.unknown))
            stats.warn(f"The journal names what the table of endpoints does not know: {unknown_names}.")
        self._warn(stats)
        reached = journal_reached(self.state, walk)
        if is_whole and stats.is_complete and reached:
            self.state.note(JOURNAL_ON, reached)

    async def _look_up(self, lookup: Lookup) -> None:
        if lookup.endpoint.event_type is None:
            await self._show(lookup)
            return
        line = PageQueue(self.outbox)
        page_batch = PageBatch(self.outbox, line)
        await self._desk.put_list(page_batch, lookup.endpoint, lookup.path)
        page_batch.close()
        await line.drained()

    async def _show(self, lookup: Lookup) -> None:
        """What has no rows is shown: the page of the schema, and the answers to a GraphQL query."""
        stats = self.run_stats.of(lookup.endpoint.name, "lookup")
        try:
            if lookup.endpoint.answer == "html":
                answer = await self.client.get(lookup.path, bytes, stats.counts)
                self.print(answer.body.decode("utf-8", "replace"))
                return
            variables: dict[str, Any] = {"limit": GRAPHQL_LIMIT}
            while True:
                question = {"operationName": None, "query": lookup.value, "variables": variables}
                answer = await self.client.post(lookup.path, question, _graphql, stats.counts)
                self.print(answer.body.decode("utf-8", "replace").strip())
                if errors := (answer.read or {}).get("errors"):
                    stats.fail(f"The service has answered the query with errors: {_error_messages(errors)}.")
                page = ((answer.read or {}).get("extensions") or {}).get("pageInfo") or {}
                last = page.get("lastId")
                # A query that does not take $after gives its first page for ever.
                if not page.get("hasNextPage") or last == variables.get("after") or "$after" not in lookup.value:
                    return
                variables = variables | {"after": last}
        except UnreadableAnswer as why:
            stats.fail(f"{why.url} cannot be read: {why.reason}.")
        except NoAnswer as why:
            stats.fail(str(why))


def _graphql(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as problem:
        raise DamagedBody(f"the answer is no JSON object: {problem}") from None


def _error_messages(errors: Any) -> str:
    """What a GraphQL answer says is wrong, by its messages."""
    listed = errors if isinstance(errors, list) else [errors]
    unknown_names = [str(each.get("message", each)) if isinstance(each, dict) else str(each) for each in listed]
    return "; ".join(message.rstrip(".") for message in unknown_names)


async def _shown(watchers: Sequence[Watcher]) -> None:
    while True:
        for watcher in watchers:
            watcher.update()
        await asyncio.sleep(SHOW_EVERY)


async def _first_of(work: Coroutine[Any, Any, None], *beside: Coroutine[Any, Any, None]) -> None:
    """Until the work is done, or something beside it fails."""
    tasks = [asyncio.ensure_future(each) for each in (work, *beside)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """All of them; the first that fails stops the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    if not tasks:
        return
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
