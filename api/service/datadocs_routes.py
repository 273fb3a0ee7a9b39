"""The Data Docs: the results of the gates, as the nightly jobs wrote them (`settings.data_docs`).

A browser opens no file from a page that came over HTTP, so they come that way too.
"""

from __future__ import annotations

import asyncio
import re

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from api.http.loopback import require_loopback
from api.http.problems import Problem, not_found

ROUTER = APIRouter(tags=["service"], include_in_schema=False)
INDEX = "index.html"
NAME = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*\.html", re.ASCII)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@ROUTER.get("/data-docs/{name:path}")
async def data_docs(request: Request, name: str) -> Response:
    """A page of them. No other file, and nothing above their folder, can be named."""
    require_loopback(request)
    file = request.app.state.settings.data_docs / name
    if NAME.fullmatch(name) and await asyncio.to_thread(file.is_file):
        return FileResponse(file, media_type="text/html", headers={"Content-Security-Policy": POLICY})
    if name == INDEX:
        raise Problem(404, "not-found", "There are no Data Docs yet. A night writes them: ./start.sh job nightly.")
    raise not_found(f"page {name} in the Data Docs")
