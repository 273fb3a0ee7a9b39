"""Asks a stand-in in this process, as a client would over HTTP."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from standins.goszakup.app import Site, build_app
from standins.goszakup.faults import Faults
from standins.goszakup.guard import Guard
from standins.goszakup.service import Service
from standins.goszakup.truths import truths
from standins.goszakup.world import make_world

# One loop for all clients, closed at the end: a loop that is only forgotten warns.
RUNNER = asyncio.Runner()
atexit.register(RUNNER.close)
TOKEN = "a-token-of-the-tests"
Json = dict[str, Any]


@dataclass
class Client:
    """`ask` sends one request; the others are what tests do often."""

    site: Site
    runner: asyncio.Runner
    http: httpx.AsyncClient

    def ask(self, path: str, method: str = "GET", token: str | None = TOKEN, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.runner.run(self.http.request(method, path, headers=headers, **more))

    def get(self, path: str) -> Any:
        actual = self.ask(path)
        assert actual.status_code == 200, f"{path}: {actual.status_code} {actual.text}"
        return orjson.loads(actual.content)

    def pages(self, path: str, limit: int = 500) -> Iterator[Json]:
        """The pages of a walk without faults."""
        following = f"{path}{'&' if '?' in path else '?'}limit={limit}"
        while following:
            page = self.get(following)
            yield page
            assert page["next_page"] != following, f"{following} does not advance"
            following = page["next_page"]

    def walk(self, path: str, limit: int = 500) -> list[Json]:
        """All rows of a path."""
        return [row for page in self.pages(path, limit) for row in page["items"]]

    def truths(self, kind: str) -> list[Json]:
        return [truth for truth in truths(self.site.service.world) if truth["kind"] == kind]


def client_of(lots: int, seed: int, days: int = 30, faults: Faults | None = None, rate: float | None = None) -> Client:
    site = Site(Service(make_world(seed, lots, days)), Guard(TOKEN, rate), faults or Faults())
    transport = httpx.ASGITransport(build_app(site))
    return Client(site, RUNNER, httpx.AsyncClient(transport=transport, base_url="http://stand-in"))
