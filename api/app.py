"""The application: every router of `api.registry`; backends are opened at its start and closed at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from api import registry
from api.backends.backends import Backends
from api.http import methods, openapi
from api.http.access import Direct
from api.http.guard import Guard, GuardedRequest, GuardMiddleware
from api.http.metrics import Metrics
from api.http.problems import Problem, invalid
from conf import Settings


class App(FastAPI):
    """The application. What is asked of a `Direct` route goes past all layers of the framework, but for the guard."""

    guard: Guard
    paths: Sequence[BaseRoute]
    direct: Mapping[tuple[str, str], Direct]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if method == "HEAD":
            return await methods.head(scope, receive, send, self.__call__)
        # A browser's question for another origin is refused, as every other method that a path does not take.
        if method == "OPTIONS" and not methods.is_preflight(scope) and (allowed := methods.allowed(self.paths, scope)):
            return await GuardedRequest(self.guard, scope, receive, send).run(methods.options(allowed))
        direct = self.direct.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if direct is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"], scope["route"] = self, direct
            await GuardedRequest(self.guard, scope, receive, send).run(direct.handle_directly)
        return None


def app(settings: Settings, backends: Backends | None = None) -> FastAPI:
    """The application of these settings. Tests hand in `backends` with fakes; else the real ones are made.

    A router finds them as ``request.app.state.backends``; it may have a lifespan of its own.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        opened = backends or Backends.of(settings, metrics)
        if backends is None:
            registry.open_domains(opened)
        application.state.backends = opened
        async with opened:
            yield

    application = App(
        title="Sauda", version=openapi.VERSION, description=openapi.ABOUT, openapi_tags=registry.tags(), docs_url=None,
        redoc_url=None, lifespan=lifespan, redirect_slashes=False, separate_input_output_schemas=False,
        generate_unique_id_function=openapi.operation_id,
    )  # fmt: skip
    application.state.settings, application.state.metrics = settings, metrics
    for router in registry.routers():
        application.include_router(router)
    application.add_exception_handler(Problem, _problem)
    application.add_exception_handler(HTTPException, _http_error)
    application.add_exception_handler(RequestValidationError, _invalid)
    ours = [route for router in registry.routers() for route in router.routes]
    application.paths = [*ours, *(route for route in application.routes if isinstance(route, Route))]
    application.guard = Guard(settings, metrics)
    application.direct = {(method, r.path): r for r in ours if isinstance(r, Direct) for method in r.methods or ()}
    application.add_middleware(GuardMiddleware, guard=application.guard)
    application.openapi = lambda: openapi.document(application, ours)  # type: ignore[method-assign]
    return application


async def _problem(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return problem.response()


async def _http_error(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    headers = error.headers
    allow = ", ".join(methods.allowed(request.app.paths, request.scope))
    if error.status_code == 405:
        # The framework names the methods of one route; a path can have several.
        headers = {"Allow": allow}
    kinds = {
        404: ("not-found", "There is nothing at this path; /openapi.json lists all paths."),
        405: ("method", f"This path does not accept {methods.method_of(request.scope)}."),
    }
    kind, detail = kinds.get(error.status_code, ("request", str(error.detail)))
    return Problem(error.status_code, kind, detail, headers=headers).response()


async def _invalid(_: Request, error: Exception) -> Response:
    """Parameters that do not have their types."""
    assert isinstance(error, RequestValidationError)
    return invalid([_finding(each) for each in error.errors()]).response()


def _finding(error: Any) -> dict[str, str]:
    name = str(error["loc"][-1])
    return {"parameter": name, "rule": f"{name}.{error['type']}", "detail": f"{name}: {error['msg']}."}
