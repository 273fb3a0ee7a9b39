"""The API key of a request, and what it allows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.backends.backends import backends_of
from api.backends.keys import Key, key_id_of
from api.http.problems import Problem

NEEDED: set[str] = set()
"""The scopes that any path needs: `api.registry` refuses one that nobody declares."""
REALM = {"WWW-Authenticate": 'Bearer realm="sauda"'}


def _unknown() -> Problem:
    return Problem(
        401,
        "key",
        "A valid API key is required: Authorization: Bearer KEY. ./start.sh keys create makes one.",
        headers=REALM,
    )


async def key_of(request: Request) -> Key:
    """The key of a request. Raises a Problem: 401 without a valid one, 429 above its rate."""
    word, _, text = request.headers.get("authorization", "").partition(" ")
    text = text.strip()
    key_id = key_id_of(text) if word.lower() == "bearer" else ""
    if not key_id:
        raise _unknown()
    backends = backends_of(request)
    key = await backends.keys.get(key_id)
    if key is None or not key.opens(text, datetime.now(UTC)):
        raise _unknown()
    backends.rates.take(key.key_id, key.rate_per_minute)
    return key


def needs(scope: str) -> Callable[[Request], Awaitable[Key]]:
    """A dependency that gives the request's key. Raises a Problem (403) where it lacks the scope."""
    NEEDED.add(scope)

    async def key_with_scope(request: Request) -> Key:
        key = await key_of(request)
        if not key.may(scope):
            raise Problem(403, "scope", f"This key lacks the scope {scope}.")
        return key

    return key_with_scope


class Direct(APIRoute):
    """A route whose endpoint takes the request and nothing else.

    The framework's search for parameters and dependencies is left out: it costs a hot path a third of its time.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return endpoint

    async def handle_directly(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application of its own."""
        response: Response = await self.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


Reader = Annotated[Key, Depends(needs("read"))]
