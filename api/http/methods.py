"""What HTTP requires of every path: HEAD wherever GET is, OPTIONS, and all methods in Allow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

AS_GET = "sauda.head"
"""Key in the scope of a HEAD request, which is answered as GET."""


def allowed(routes: Iterable[BaseRoute], scope: Scope) -> list[str]:
    """The methods that a path accepts; none where there is no such path."""
    methods: set[str] = set()
    for route in routes:
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    if "GET" in methods:
        methods.add("HEAD")
    return sorted({*methods, "OPTIONS"}) if methods else []


def method_of(scope: Scope) -> str:
    """The method as the client wrote it."""
    return "HEAD" if AS_GET in scope else str(scope["method"])


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks on behalf of a page of another origin (CORS)."""
    return any(name == b"access-control-request-method" for name, _ in scope["headers"])


def options(methods: list[str]) -> ASGIApp:
    """Answers OPTIONS."""
    return Response(status_code=204, headers={"Allow": ", ".join(methods)})


async def head(scope: Scope, receive: Receive, send: Send, get: Callable[..., Awaitable[None]]) -> None:
    """Answer as GET does, without a body. An answer without end is stopped as soon as it begins."""
    begun = asyncio.Event()

    async def left() -> Message:
        if begun.is_set():
            return {"type": "http.disconnect"}
        waiting = asyncio.ensure_future(receive())
        done = asyncio.ensure_future(begun.wait())
        try:
            await asyncio.wait((waiting, done), return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else {"type": "http.disconnect"}
        finally:
            waiting.cancel()
            done.cancel()

    async def without_body(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b""})
            begun.set()

    await get({**scope, "method": "GET", AS_GET: True}, left, without_body)
