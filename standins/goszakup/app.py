"""The service on HTTP: 74 paths behind the token, and a few of the stand-in's own under /standin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute
from starlette.types import Receive, Scope, Send

from standins.goszakup.faults import ON_NEXT, STATUS, Faults
from standins.goszakup.graphql import answer, schema_page
from standins.goszakup.guard import NAMES, Guard, error
from standins.goszakup.pages import continues, page, page_request
from standins.goszakup.routes import ROUTES, Route
from standins.goszakup.service import BadRequest, NotFound, Service
from standins.goszakup.totals import totals
from standins.goszakup.world import WorldEnded
from standins.rates import document

JSON = "application/json; charset=UTF-8"
ON_PAGES = ("cursor", *ON_NEXT)
SORRY = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
MAINTENANCE = "<!DOCTYPE html><html><body><h1>Ведутся технические работы</h1></body></html>".encode()

Endpoint = Callable[[Request], Awaitable[Response]]


class CutOff(Response):
    """Promises its whole body and sends half of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body[: len(self.body) // 2])})


@dataclass(frozen=True)
class Site:
    """What all requests share."""

    service: Service
    guard: Guard
    faults: Faults


def build_app(site: Site) -> Starlette:
    """The ASGI application. Nothing is shared with another one but what is in `site`."""
    # A path without values goes before one that would take its last word for a value.
    ordered = sorted(ROUTES, key=lambda route: route.path.count("{"))
    https = []
    for route in ordered:
        for path in {route.path, route.path.rstrip("/")}:
            https.append(HttpRoute(path, _endpoint(site, route), methods=[route.method]))
    https.append(HttpRoute("/v3/refs/{name}/{key}", _ref_item(site), methods=["GET"]))
    control = {"day": "POST", "expire": "POST", "renew": "POST", "counts": "GET", "world": "GET", "faults": "GET"}
    for name, method in control.items():
        https.append(HttpRoute(f"/standin/{name}", _control(site, name), methods=[method]))
    https.append(HttpRoute("/rss/get_rates.cfm", _rates, methods=["GET"]))
    return Starlette(routes=https, exception_handlers={HTTPException: _http_error})


async def _rates(request: Request) -> Response:
    """Another service in the same process: the National Bank's rates, which ask for no token."""
    try:
        return Response(document.document(request.query_params.get("fdate", "")), media_type="text/xml")
    except ValueError:
        return error(400, "fdate=dd.mm.yyyy")


async def _http_error(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    status = problem.status_code if problem.status_code in NAMES else 500
    return error(status, "Страница не найдена." if status == 404 else problem.detail)


def _endpoint(site: Site, route: Route) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        refused = site.guard.refused(request)
        if refused:
            return refused
        try:
            return await _answered(site, route, request)
        except NotFound as problem:
            return error(404, str(problem))
        except BadRequest as problem:
            return error(400, str(problem))

    return endpoint


async def _answered(site: Site, route: Route, request: Request) -> Response:
    """The answer, or what the faults make of it."""
    asked_for = f"{request.method} {request.url.path}?{request.url.query}"
    value = request.query_params.get(route.query[0], "") if route.answer == "object" and route.query else ""
    value = value or next(iter(request.path_params.values()), "")
    if route.answer == "page":
        page_asked = page_request(request.url.path, request.query_params)
        listing = site.service.listing(route, value, request.query_params)
        ahead = bool(site.faults.seed is not None and continues(listing, page_asked))
        kind, detail = site.faults.choose(
            asked_for, bool(page_asked.after), ahead, not page_asked.after and listing.total == 1
        )
        body = page(listing, page_asked, site.service.world.clock, kind if kind in ON_PAGES else "", detail)
        return await _sent(site, orjson.dumps(body["items"][0] if kind == "bare" else body), kind, detail)
    if route.answer == "object":
        kind, detail = site.faults.choose(asked_for, False, False)
        return await _sent(site, orjson.dumps(site.service.object(route, value)), kind, detail)
    if route.answer == "html":
        return Response(schema_page(), media_type="text/html; charset=UTF-8")
    text = await request.body()
    kind, detail = site.faults.choose(asked_for + text.decode(errors="replace"), False, False)
    return await _sent(site, orjson.dumps(answer(site.service, text)), kind, detail)


async def _sent(site: Site, body: bytes, kind: str, detail: int) -> Response:
    if kind == "http":
        status = STATUS[detail % len(STATUS)]
        if status == 429:
            return error(429, "Превышено количество запросов", {"Retry-After": "1"})
        return error(500, "Внутренняя ошибка") if status == 500 else Response(SORRY, status, media_type="text/html")
    if kind == "hang":
        await asyncio.sleep(site.faults.hang_seconds)
    if kind == "html":
        return Response(MAINTENANCE, media_type="text/html; charset=UTF-8")
    return (CutOff if kind == "cut" else Response)(body, media_type=JSON)


def _ref_item(site: Site) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        refused = site.guard.refused(request)
        if refused:
            return refused
        try:
            row = site.service.ref(request.path_params["name"], request.path_params["key"])
        except NotFound as problem:
            return error(404, str(problem))
        return Response(orjson.dumps(row), media_type=JSON)

    return endpoint


def _control(site: Site, name: str) -> Endpoint:
    def done() -> dict[str, Any]:
        world = site.service.world
        if name == "day":
            world.next_day()
            return {"day": world.day, "counts": site.service.counts()}
        if name == "counts":
            return {"day": world.day, "counts": site.service.counts()}
        if name == "world":
            return totals(world)
        if name == "faults":
            return dict(site.faults.played)
        site.guard.expired = name == "expire"
        return {"expired": site.guard.expired}

    async def endpoint(request: Request) -> Response:
        refused = site.guard.refused(request, limited=False)
        if refused:
            return refused
        try:
            return Response(orjson.dumps(done()), media_type=JSON)
        except WorldEnded as problem:
            return error(409, str(problem))

    return endpoint
