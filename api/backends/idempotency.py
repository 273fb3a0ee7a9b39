"""Idempotency keys: for which content a key was first used.

The answer need not be stored, since ids follow from key and content. What is stored is the content's hash, so that the
use of a key for other content is refused.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256

from api.backends.postgres import Postgres
from api.http.problems import Problem

LOG = logging.getLogger("sauda.api")
MAX_REMEMBERED = 200_000
MAX_BATCH = 1_000
AWAY_SECONDS = 2.0
TIMEOUT_SECONDS = 2.0
"""After so long a request no longer waits for PostgreSQL."""
DAY_SECONDS = 86_400.0
HOUR_SECONDS = 3_600.0
NOTE = (
    "INSERT INTO ops.api_claims (claim, content) SELECT * FROM unnest(%s::bytea[], %s::bytea[])"
    # What is older than a day has expired.
    " ON CONFLICT (claim) DO UPDATE SET content = excluded.content, created_at = excluded.created_at"
    " WHERE api_claims.created_at < clock_timestamp() - interval '1 day'"
)
NOTED = (
    "SELECT claim, content, extract(epoch FROM clock_timestamp() - created_at)::float AS age_seconds"
    " FROM ops.api_claims WHERE claim = ANY(%s::bytea[])"
)
FORGET = "DELETE FROM ops.api_claims WHERE created_at < clock_timestamp() - interval '1 day'"

# The claim, the content, and what is to become the content that was first and its age.
Waiting = tuple[bytes, bytes, "asyncio.Future[tuple[bytes, float]]"]


class IdempotencyKeys:
    """The keys of the last day. While PostgreSQL is away, this process's memory is used instead.

    Many requests share a statement: what arrives while one runs goes with the next.
    """

    def __init__(self, shop: Postgres, clock: Callable[[], float] = time.monotonic,
                 timeout_seconds: float = TIMEOUT_SECONDS) -> None:  # fmt: skip
        self._shop, self._clock, self._timeout_seconds = shop, clock, timeout_seconds
        self._known: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        self._waiting: list[Waiting] = []
        self._woken = asyncio.Event()
        self._away_until = 0.0

    async def claim(self, owner: str, text: str, content: bytes) -> None:
        """Claim an owner's key for a content. Raises a Problem (422) where it was used for another content."""
        claim = sha256(f"{owner}\n{text}".encode()).digest()
        known = self._known.get(claim)
        if known and self._clock() - known[1] < DAY_SECONDS:
            first = known[0]
        else:
            first, age = await self._noted(claim, content)
            self._known[claim] = (first, self._clock() - age)
            if len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)
        if first != content:
            raise Problem(
                422, "idempotency-key",
                "This Idempotency-Key was used for another body within the last day. Use a new one for a new request.",
            )  # fmt: skip

    async def _noted(self, claim: bytes, content: bytes) -> tuple[bytes, float]:
        if self._clock() < self._away_until:
            return content, 0.0
        answer: asyncio.Future[tuple[bytes, float]] = asyncio.get_running_loop().create_future()
        self._waiting.append((claim, content, answer))
        self._woken.set()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await answer
        except TimeoutError:
            self._away_until = self._clock() + AWAY_SECONDS
            return content, 0.0

    async def run(self) -> None:
        """Store claims for ever, and delete what is older than a day."""
        forget_at = 0.0
        while True:
            try:
                async with asyncio.timeout(HOUR_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                await self._note(batch)
            if self._clock() >= forget_at:
                forget_at = self._clock() + HOUR_SECONDS
                await self._forget()

    async def _note(self, batch: list[Waiting]) -> None:
        wanted: dict[bytes, bytes] = {}
        for claim, content, _ in batch:
            wanted.setdefault(claim, content)
        first: dict[bytes, tuple[bytes, float]] = {}
        try:
            async with self._shop.connection() as connection, connection.transaction():
                await connection.execute(NOTE, (list(wanted), list(wanted.values())))
                rows = await (await connection.execute(NOTED, (list(wanted),))).fetchall()
            first = {bytes(row["claim"]): (bytes(row["content"]), row["age_seconds"]) for row in rows}
        except Exception as error:
            self._away_until = self._clock() + AWAY_SECONDS
            if not isinstance(error, Problem):
                LOG.exception("Idempotency keys could not be stored; this process's memory is used instead")
        for claim, _, answer in batch:
            # The caller may have been cancelled.
            if not answer.done():
                answer.set_result(first.get(claim, (wanted[claim], 0.0)))

    async def _forget(self) -> None:
        try:
            await self._shop.rows(FORGET)
        except Problem:
            # The next attempt is in an hour.
            return
        except Exception:
            LOG.exception("Old idempotency keys could not be deleted; the next attempt is in an hour")
