"""One round of questions a second for everybody who watches, and none while nobody does."""

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
"""Answers that come so near to each other are told in one state."""
FAULT = "It could not be asked; the reason is in the API's log."


@dataclass
class Source:
    """A source that is asked again `every` so many seconds; while an answer is late, it is not asked for twice.

    `ask` raises OSError with a sentence for people where the source is away.
    """

    name: str
    ask: Callable[[], Awaitable[Any]]
    every: float = 1.0
    due: float = 0.0
    seen: Reading = field(default_factory=Reading)


class Hub:
    """Hands the newest state to each viewer. Nothing queues up: who is slow is given the newest one next.

    `write` makes a state of the time and of what was seen. A source that fails is told in the state (`Reading.error`)
    and asked again; what it said before is kept.
    """

    def __init__(
        self, looks: Sequence[Source], write: Callable[[float, Mapping[str, Reading]], bytes], *, max_viewers: int,
        every: float = 1.0, patience: float = 8.0, heartbeat: float = 15.0, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.looks, self.write, self.max_viewers = looks, write, max_viewers
        self.every, self.patience, self.heartbeat, self.clock = every, patience, heartbeat, clock
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
        """The newest state, again and again; None as a sign of life where there is no news for long."""
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
        """Ask what is due and tell what was answered, as soon as it was, until nobody watches."""
        running: dict[str, asyncio.Task[None]] = {}
        loop = asyncio.get_running_loop()
        for look in self.looks:
            # What was seen before a pause is old, and would be told as if it were not.
            look.seen = Reading()
        try:
            while self.viewers:
                now = loop.time()
                for look in self.looks:
                    if look.name not in running and look.due <= now:
                        look.due = now + look.every
                        running[look.name] = asyncio.create_task(self._ask(look))
                pause = min([look.due - now for look in self.looks if look.name not in running], default=self.every)
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

    async def _ask(self, look: Source) -> None:
        try:
            async with asyncio.timeout(self.patience):
                look.seen = Reading(await look.ask(), None, self.clock())
        except TimeoutError:
            look.seen = look.seen._replace(error=f"No answer within {self.patience:g} seconds.")
        except OSError as error:
            look.seen = look.seen._replace(error=str(error))
        except Exception:
            # A fault of ours in one source must not take the others from the page, nor fill the log each second.
            if look.seen.error != FAULT:
                LOG.exception("the look at %s failed", look.name)
            look.seen = look.seen._replace(error=FAULT)

    def _publish(self) -> None:
        self._newest = self.write(self.clock(), {look.name: look.seen for look in self.looks})
        self._news.set()
        self._news = asyncio.Event()
