"""The pages and their files. They ask for no key, so they are served to this machine only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from api.http.loopback import require_loopback
from api.http.problems import not_found
from api.web.pages import Asset, Site

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """A page that could not be shown stops the start."""
    site()
    yield


ROUTER = APIRouter(tags=["service"], lifespan=lifespan, include_in_schema=False)


@lru_cache(maxsize=1)
def site() -> Site:
    """The pages of the repository."""
    return Site()


@ROUTER.get("/")
async def home(request: Request) -> Response:
    return _served(request, site().by_path.get("/"), "page")


@ROUTER.get("/pages/{name}")
async def page(request: Request, name: str) -> Response:
    return _served(request, site().by_path.get(f"/pages/{name}"), f"page {name[:80]!r}")


@ROUTER.get("/web/{name:path}")
async def asset(request: Request, name: str) -> Response:
    return _served(request, site().assets.get(name), f"file {name[:200]} of the pages")


def _served(request: Request, asset: Asset | None, what: str) -> Response:
    require_loopback(request)
    if asset is None:
        raise not_found(what)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "ETag": asset.etag}
    if request.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    return Response(asset.body, headers=headers, media_type=asset.media)
