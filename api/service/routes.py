"""Health, readiness, version and metrics."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from api.backends.backends import backends_of
from api.http.openapi import VERSION, named
from api.http.problems import MEDIA, RETRY_SECONDS, Problem
from api.http.readiness import Probe

ROUTER = APIRouter(tags=["service"])


def _shown(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    schema = named(name, {"type": "object", "required": list(properties), "properties": properties})
    return {"description": "Found.", "content": {"application/json": {"schema": schema}}}


@ROUTER.get(
    "/healthz", name="get_health", summary="Is the process alive?",
    responses={200: _shown("Health", {"status": {"type": "string"}})},
)  # fmt: skip
async def health() -> Any:
    """No backend is asked."""
    return {"status": "alive"}


AWAY: dict[int | str, dict[str, Any]] = {503: {"description": "A part is away.",
              "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}}}  # fmt: skip


@ROUTER.get(
    "/readyz", name="get_readiness", summary="Which parts answer?",
    responses=AWAY | {200: _shown("Readiness", {"status": {"type": "string"}, "parts": {"type": "object"}})},
)  # fmt: skip
async def readiness(request: Request) -> Response:
    """200 when all parts answer, a problem (503) else, both with `parts` and with what waits in the outbox.

    When one is away, only the paths that need it fail. They are asked at most once a second.
    """
    backends = backends_of(request)
    names = list(backends.probes)
    answers = await asyncio.gather(*(_answers(backends.probes[name]) for name in names))
    is_ready = dict(zip(names, answers, strict=True))
    details: dict[str, Any] = {"parts": {name: "ready" if good else "away" for name, good in is_ready.items()}}
    details |= {name: describe() for name, describe in backends.details.items()}
    away = [name for name, good in is_ready.items() if not good]
    if away:
        raise Problem(503, "not-ready", f"No answer from {', '.join(away)}. Try again in {RETRY_SECONDS} seconds.",
                      headers={"Retry-After": str(RETRY_SECONDS)}, more=details)  # fmt: skip
    return Response(orjson.dumps({"status": "ready"} | details), media_type="application/json")


async def _answers(probe: Probe) -> bool:
    try:
        await probe()
    except Exception:
        # Any exception of a probe means that its backend is away.
        return False
    return True


@ROUTER.get(
    "/version", name="get_version", summary="Which version is this?",
    responses={200: _shown("Version", {"name": {"type": "string"}, "version": {"type": "string"}})},
)  # fmt: skip
async def version() -> Any:
    return {"name": "sauda", "version": VERSION}


@ROUTER.get("/metrics", name="get_metrics", summary="Counters, for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
