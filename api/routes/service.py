"""Whether the service lives, what it can reach, which version it is, what it counted."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from api.openapi import VERSION
from api.parts import Parts, Probe

ROUTER = APIRouter(tags=["service"])
PROBE_SECONDS = 3.0


@ROUTER.get("/healthz", summary="Is the process alive?")
async def health() -> dict[str, str]:
    """Nothing outside the process is asked."""
    return {"status": "alive"}


@ROUTER.get("/readyz", summary="Which parts answer?", responses={503: {"description": "A part is away."}})
async def readiness(request: Request) -> Response:
    """200 when all parts answer, 503 else. A part that is away takes only its own paths with it."""
    parts: Parts = request.app.state.parts
    names = list(parts.probes)
    found = await asyncio.gather(*(_state(parts.probes[name]) for name in names))
    told: dict[str, Any] = {"status": "ready" if all(found) else "not ready"}
    told["parts"] = {name: "ready" if is_ready else "away" for name, is_ready in zip(names, found, strict=True)}
    return Response(orjson.dumps(told), 200 if all(found) else 503, media_type="application/json")


async def _state(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except Exception:
        # Whatever a probe raises means "away": that is its whole question.
        return False
    return True


@ROUTER.get("/version", summary="Which version is this?")
async def version() -> dict[str, str]:
    return {"name": "sauda", "version": VERSION}


@ROUTER.get("/metrics", summary="Counters, for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    return Response(generate_latest(request.app.state.measures.registry), media_type=CONTENT_TYPE_LATEST)
