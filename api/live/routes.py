"""The stream of live figures: what flows right now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import registry
from api.backends.backends import Backends
from api.domain import Figures
from api.http.loopback import require_loopback
from api.http.problems import Problem
from api.http.protocol import ENDLESS
from api.live.document import Reading, document
from api.live.health import PartsHealth
from api.live.hub import Hub, Source
from api.live.queries import RefusedFigures, StreamFigures
from conf import Settings

MAX_VIEWERS = 64


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    """Make the hub; it asks nothing until there is a viewer."""
    # All sources are on loopback: a proxy from the environment must not be used.
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        application.state.hub = hub(application.state.settings, application.state.backends, client)
        yield


def hub(settings: Settings, backends: Backends, client: httpx.AsyncClient) -> Hub:
    sources = [Source(each.name, each.source(backends), each.every) for each in figures()]
    sources += [
        Source("refused", RefusedFigures(backends.warehouse)),
        Source("flow", StreamFigures(settings, client)),
        Source("parts", PartsHealth(settings, backends.probes, client), every=3.0),
    ]
    return Hub(sources, _event, max_viewers=MAX_VIEWERS)


def figures() -> list[Figures]:
    """The live figures of all domains."""
    return [each for domain in registry.domains() for each in domain.figures]


def _event(now: float, readings: Mapping[str, Reading]) -> bytes:
    return format_sse_event(data_str=orjson.dumps(document(now, readings, figures())).decode())


ROUTER = APIRouter(tags=["service"], lifespan=lifespan, include_in_schema=False)


@ROUTER.get("/live")
async def live(request: Request) -> Response:
    """Server-sent events: each is the whole state (`api.live.document.document`), about once a second."""
    require_loopback(request)
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem(403, "elsewhere", "Only the page itself may watch; this request comes from another site.")
    request.scope[ENDLESS] = True
    return ViewerResponse(request.app.state.hub)


class ViewerResponse(EventSourceResponse):
    """The answer of one viewer; its place is free again when it ends, however it ends."""

    def __init__(self, watched: Hub) -> None:
        super().__init__((), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self.watched = watched

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.watched.viewer() as states:
            self.body_iterator = (state or KEEPALIVE_COMMENT async for state in states)
            await super().__call__(scope, receive, send)
