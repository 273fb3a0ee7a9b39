"""What every request passes: host names, sizes, deadlines, headers, counters, and the last handler of exceptions."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.metrics import Metrics
from api.http.problems import Problem, full, too_large
from api.http.protocol import WHOLE
from conf import Settings, disk

DISK_SECONDS = 0.2
WRITES = ("POST", "PUT", "PATCH", "DELETE")
LOG = logging.getLogger("sauda.api")
ON_DECOMPRESSED = "sauda.on_decompressed"
"""Key in the scope of a request: a function to call with the size of each decompressed piece of its body."""
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"content-security-policy": b"default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}
"""Set unless the answer sets them itself."""


class Guard:
    """What all requests share."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings, self.metrics = settings, metrics
        self.hosts = {host.strip().encode() for host in settings.api_hosts.split(",")}
        self.held = 0
        self._shortage, self._looked_at = "", -DISK_SECONDS
        metrics.gauge("disk_full", "1 while the disk has too little space for more.", lambda: bool(self.shortage))

    @property
    def shortage(self) -> str:
        """Why nothing new can be accepted now; empty while there is space. Checked five times a second."""
        now = time.monotonic()
        if now - self._looked_at >= DISK_SECONDS:
            self._shortage, self._looked_at = disk.shortage(self.settings), now
        return self._shortage


class GuardMiddleware:
    """ASGI middleware: every request to `app` is a `GuardedRequest`."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self.app, self.guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await GuardedRequest(self.guard, scope, receive, send).run(self.app)
        elif scope["type"] == "lifespan":
            await self.app(scope, receive, send)


class GuardedRequest:
    """One request, with its limits."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self.guard, self.scope, self._receive, self._send = guard, scope, receive, send
        self.began = time.perf_counter()
        self.deadline = asyncio.get_running_loop().time() + guard.settings.api_body_seconds
        self.body_bytes = self.unpacked_bytes = 0
        scope[ON_DECOMPRESSED] = self.hold
        self.is_read = False
        self.status = 0

    async def run(self, app: ASGIApp) -> None:
        metrics = self.guard.metrics
        metrics.in_flight.inc()
        try:
            self._look_at_head()
            await app(self.scope, self.receive, self.send)
        except Problem as problem:
            await self._answer(problem)
        except Exception:
            instance = uuid.uuid4().urn
            LOG.exception("%s %s failed: %s", self.scope["method"], self.scope["path"], instance)
            await self._answer(
                Problem(500, "fault", "An internal error occurred. It was written to the log.", instance=instance)
            )
        finally:
            self.guard.held -= self.body_bytes + self.unpacked_bytes
            metrics.in_flight.dec()
            metrics.body_bytes.set(self.guard.held)
            # An unknown path must not become a label of its own.
            route = getattr(self.scope.get("route"), "path", "none")
            method = self.scope["method"] if route != "none" else "none"
            metrics.answered(method, route, self.status, time.perf_counter() - self.began)

    def _look_at_head(self) -> None:
        host, length = b"", b""
        for name, value in self.scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"content-length":
                length = value
        known = host if host.endswith(b"]") else host.rsplit(b":", 1)[0]
        if known not in self.guard.hosts:
            raise Problem(421, "misdirected", "The request's Host is not a name of this service; see SAUDA_API_HOSTS.")
        if self.scope["method"] in WRITES and self.guard.shortage:
            raise full()
        if length and int(length) > self.guard.settings.api_body_bytes:
            raise too_large(self.guard.settings.api_body_bytes)

    async def receive(self) -> Message:
        """The client's next message: counted, and with a deadline while it is the body."""
        if self.is_read:
            return await self._receive()
        message = await (self._receive() if WHOLE in self.scope else self._in_time())
        if message["type"] == "http.request":
            self._count(len(message.get("body", b"")))
            self.is_read = not message.get("more_body", False)
        else:
            self.is_read = True
        return message

    async def _in_time(self) -> Message:
        seconds = self.guard.settings.api_body_seconds
        try:
            async with asyncio.timeout_at(self.deadline):
                return await self._receive()
        except TimeoutError:
            raise Problem(
                408, "slow", f"The body did not arrive within {seconds:g} seconds.", headers={"Connection": "close"}
            ) from None

    def _count(self, size: int) -> None:
        guard = self.guard
        self.body_bytes += size
        guard.held += size
        if self.body_bytes > guard.settings.api_body_bytes:
            raise too_large(guard.settings.api_body_bytes)
        self._refuse_too_much()

    def hold(self, size: int) -> None:
        """Count decompressed bytes. Raises a Problem (503)."""
        self.unpacked_bytes += size
        self.guard.held += size
        self._refuse_too_much()

    def _refuse_too_much(self) -> None:
        guard = self.guard
        if guard.held > guard.settings.api_bodies_bytes:
            raise Problem(
                503, "busy", "Too much data is being sent at the same time. Try again in a second.",
                headers={"Retry-After": "1"},
            )  # fmt: skip

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            there = dict(message["headers"])
            message["headers"] = [*message["headers"], *[pair for pair in HEADERS.items() if pair[0] not in there]]
        await self._send(message)

    async def _answer(self, problem: Problem) -> None:
        if self.status:
            # The answer has begun: an error can no longer be sent, and half an answer must not look complete.
            raise problem
        await problem.response()(self.scope, self.receive, self.send)
