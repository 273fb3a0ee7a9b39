"""Asks the sources of live figures once a second for all viewers together, and never while there is none."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from api.http.problems import Problem
from api.live.document import Reading

LOG = logging.getLogger("sauda.api")
TOGETHER_SECONDS = 0.1
"""Answers that arrive within this time go into one document."""
FAULT = "It could not be read; the reason is in the API's log."


@dataclass
class Source:
    """A source that is asked again `every` so many seconds; while an answer is late, it is not asked for twice.

    `ask` raises OSError with a sentence for people where the source is away.
    """

    name: str
    ask: Callable[[], Awaitable[Any]]
    every: float = 1.0
    due: float = 0.0
    reading: Reading = field(default_factory=Reading)


class Hub:
    """Hands the newest document to each viewer. There is no queue: a slow viewer gets the newest one next.

    `write` makes the document of the time and of all readings. A source that fails is named in it (`Reading.error`) and
    asked again; its last value is kept.
    """

    def __init__(
        self, sources: Sequence[Source], write: Callable[[float, Mapping[str, Reading]], bytes], *, max_viewers: int,
        every: float = 1.0, timeout_seconds: float = 8.0, heartbeat: float = 15.0,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.sources, self.write, self.max_viewers = sources, write, max_viewers
        self.every, self.timeout_seconds, self.heartbeat, self.clock = every, timeout_seconds, heartbeat, clock
        self.viewers = 0
        self._newest: bytes | None = None
        self._news = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._published_at = 0.0

    @contextmanager
    def viewer(self) -> Iterator[AsyncIterator[bytes | None]]:
        """The states for one more viewer, as long as the block lasts. Problem 503 where all places are taken."""
        if self.viewers >= self.max_viewers:
            raise Problem(
                503, "busy", f"{self.max_viewers} viewers watch already. Close a page, or try again in ten seconds.",
                headers={"Retry-After": "10"},
            )  # fmt: skip
        self.viewers += 1
        try:
            if self._work is None or self._work.done():
                self._newest = None
                self._work = asyncio.create_task(self._rounds(), name="live hub")
            yield self._states()
        finally:
            self.viewers -= 1

    async def _states(self) -> AsyncIterator[bytes | None]:
        """The newest document, again and again; None as a sign of life when there is no news for long."""
        handed: bytes | None = None
        while True:
            if self._newest is not handed:
                handed = self._newest
                yield handed
                continue
            try:
                async with asyncio.timeout(self.heartbeat):
                    await self._news.wait()
            except TimeoutError:
                yield None

    async def _rounds(self) -> None:
        """Ask the sources that are due and publish their answers at once, while there are viewers."""
        running: dict[str, asyncio.Task[None]] = {}
        loop = asyncio.get_running_loop()
        for source in self.sources:
            # Readings from before a pause are old, and must not be shown as new.
            source.reading = Reading()
        try:
            while self.viewers:
                now = loop.time()
                for source in self.sources:
                    if source.name not in running and source.due <= now:
                        source.due = now + source.every
                        running[source.name] = asyncio.create_task(self._ask(source))
                pause = min(
                    [source.due - now for source in self.sources if source.name not in running], default=self.every
                )
                is_news = await self._first(running.values(), min(pause, self.every))
                running = {name: task for name, task in running.items() if not task.done()}
                if is_news or loop.time() - self._published_at >= self.every:
                    self._published_at = loop.time()
                    self._publish()
        finally:
            for task in running.values():
                task.cancel()

    @staticmethod
    async def _first(tasks: Iterable[asyncio.Task[None]], seconds: float) -> bool:
        """Wait until one of the tasks is done, and what is done together with it; False after so many seconds."""
        waiting = list(tasks)
        if not waiting:
            await asyncio.sleep(seconds)
            return False
        done, rest = await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if done and rest:
            await asyncio.wait(rest, timeout=TOGETHER_SECONDS)
        return bool(done)

    async def _ask(self, source: Source) -> None:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                source.reading = Reading(await source.ask(), None, self.clock())
        except TimeoutError:
            source.reading = source.reading._replace(error=f"No answer within {self.timeout_seconds:g} seconds.")
        except OSError as error:
            source.reading = source.reading._replace(error=str(error))
        except Exception:
            # A bug in one source must not take the others from the page, nor fill the log each second.
            if source.reading.error != FAULT:
                LOG.exception("The source %s failed", source.name)
            source.reading = source.reading._replace(error=FAULT)

    def _publish(self) -> None:
        self._newest = self.write(self.clock(), {source.name: source.reading for source in self.sources})
        self._news.set()
        self._news = asyncio.Event()
