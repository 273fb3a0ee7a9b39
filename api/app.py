"""The application: routers found by looking, parts opened at its start and closed at its end."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from api.backends.backends import Backends
from api.http import methods, openapi
from api.http.access import Direct
from api.http.guard import Guard, GuardedRequest, GuardMiddleware
from api.http.metrics import Metrics
from api.http.problems import Problem, invalid
from conf import Settings

TAGS = [
    {"name": "catalogue", "description": "Sellers, products and customers. Every change is told in Kafka, once."},
    {"name": "purchases", "description": "Send purchases, and see what became of them."},
    {"name": "analytics", "description": "What the nightly jobs made of all purchases."},
    {"name": "service", "description": "Health, version, metrics."},
]


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
        if method == "OPTIONS" and not methods.is_preflight(scope) and (found := methods.allowed(self.paths, scope)):
            return await GuardedRequest(self.guard, scope, receive, send).run(methods.options(found))
        direct = self.direct.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if direct is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"], scope["route"] = self, direct
            await GuardedRequest(self.guard, scope, receive, send).run(direct.handle_directly)
        return None


def app(settings: Settings, parts: Backends | None = None) -> FastAPI:
    """The application of these settings. Tests hand in `parts` with fakes; else the real ones are made.

    A router finds them as ``request.app.state.parts``; it may have a lifespan of its own.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(made: FastAPI) -> AsyncIterator[None]:
        opened = parts or Backends.of(settings, metrics)
        made.state.parts = opened
        async with opened:
            yield

    made = App(
        title="Sauda", version=openapi.VERSION, description=openapi.ABOUT, openapi_tags=TAGS, docs_url=None,
        redoc_url=None, lifespan=lifespan, redirect_slashes=False, separate_input_output_schemas=False,
        generate_unique_id_function=openapi.operation_id,
    )  # fmt: skip
    made.state.settings, made.state.metrics = settings, metrics
    found = list(routers())
    for router in found:
        made.include_router(router)
    made.add_exception_handler(Problem, _problem)
    made.add_exception_handler(HTTPException, _http_error)
    made.add_exception_handler(RequestValidationError, _invalid)
    ours = [route for router in found for route in router.routes]
    made.paths = [*ours, *(route for route in made.routes if isinstance(route, Route))]
    made.guard = Guard(settings, metrics)
    made.direct = {(method, r.path): r for r in ours if isinstance(r, Direct) for method in r.methods or ()}
    made.add_middleware(GuardMiddleware, guard=made.guard)
    made.openapi = lambda: openapi.document(made, ours)  # type: ignore[method-assign]
    return made


def routers() -> Iterator[APIRouter]:
    """The `ROUTER` of each module `…routes` below `api/`. Paths are tried in turn: those with `IS_HOT` come first."""
    import api

    walked = pkgutil.walk_packages(api.__path__, "api.")
    names = sorted(module.name for module in walked if module.name.endswith("routes"))
    found = [importlib.import_module(name) for name in names]
    for module in sorted(found, key=lambda module: not getattr(module, "IS_HOT", False)):
        router: APIRouter = module.ROUTER
        yield router


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
        404: ("not-found", "There is nothing at this path; /openapi.json lists all."),
        405: ("method", f"This path does not take {methods.method_of(request.scope)}."),
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
