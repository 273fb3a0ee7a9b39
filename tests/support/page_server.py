"""The page over a world of its own, for tests of how it looks: what the sources say is set by the test."""

from __future__ import annotations

import math
import socket
import threading
import time
from random import Random
from types import TracebackType
from typing import Any, Self
from unittest import mock

import httpx
import uvicorn
from fastapi import FastAPI

from api.backends.backends import Backends
from api.http.protocol import Protocol
from api.live import routes
from api.live.document import Flow, Link, Part, Refused
from api.live.hub import Hub, Source
from api.purchases.live_document import RevenueStep, Sales
from api.web import routes as web_routes
from conf import LOOPBACK, Settings

EVIL = '<img src="/x" onerror="document.title=\'owned\'">'
NAMES = (
    EVIL, "Рис «Акмаржан» длиннозёрный, высший сорт, в удобной упаковке по 900 г",
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 2, "Green tea, 100 bags", "Бауырсақ, 12 дана", "茶",
)  # fmt: skip


class Site:
    """Serves the page on a free port of loopback; `faults` by source are raised, `parts` shown as they are."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self.parts: list[Part] = [part("clickhouse", "ClickHouse"), part("stream", "Stream")]
        self.sales = busy()
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://localhost:{self._listener.getsockname()[1]}/"
        self.hub: Hub | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(self._app(), http=Protocol, ws="none", lifespan="on", log_config=None, access_log=False,
                           timeout_graceful_shutdown=5)
        )  # fmt: skip
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)

    def _app(self) -> FastAPI:
        application = FastAPI(docs_url=None, redoc_url=None)
        application.state.settings, application.state.backends = Settings(), mock.MagicMock(spec=Backends, probes={})
        for router in (routes.ROUTER, web_routes.ROUTER):
            application.include_router(router)
        return application

    def _hub(self, settings: Settings, backends: Backends, client: httpx.AsyncClient) -> Hub:  # noqa: ARG002
        def saying(name: str, reported: Any) -> Source:
            async def ask() -> Any:
                if name in self.faults:
                    raise OSError(self.faults[name])
                return reported()

            return Source(name, ask, every=0.2)

        answers = {"sales": lambda: self.sales, "refused": refused, "flow": flowing, "parts": lambda: self.parts}
        self.hub = Hub([saying(name, answer) for name, answer in answers.items()], routes._event, max_viewers=8)
        return self.hub

    def __enter__(self) -> Self:
        self._patch = mock.patch.object(routes, "hub", self._hub)
        self._patch.start()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._patch.stop()


def part(name: str, title: str, state: str = "up", sentence: str = "") -> Part:
    links: list[Link] = [
        {"title": each, "url": f"http://{LOOPBACK}:1/{name}/{number}"}
        for number, each in enumerate(("Look", "Metrics", "Write SQL"))
    ]
    return {"name": name, "title": title, "state": state, "sentence": sentence, "links": links}


def busy() -> Sales:
    """An hour with much of everything, among it names that are long, foreign or evil."""
    now, random = time.time(), Random(5)
    revenue_steps = [
        RevenueStep(int(now) - 60 * m, code, amount := (1 + math.sin(m / 9)) * size * random.uniform(0.5, 1),
               random.randrange(9, 40), "KZT", amount * worth)
        for m in range(60) for code, size, worth in (("KZT", 9e6, 1.0), ("EUR", 900.0, 560.0), ("JPY", 1e5, 3.4))
    ]  # fmt: skip
    products = [
        {"currency_code": "KZT", "seller_id": "s1", "product_id": f"p{n}", "description": name,
         "piece_count": 90_000 // (n + 1), "revenue_amount": 98_765_432.1 / (n + 1)}
        for n, name in enumerate(NAMES)
    ]  # fmt: skip
    latest = [
        {"event_id": f"e{n}", "at": now - n, "seller_id": "a-seller-with-a-rather-long-name", "currency_code": "KZT",
         "amount": 12_345_678.9, "line_count": 3, "product": NAMES[n % len(NAMES)]}
        for n in range(14)
    ]  # fmt: skip
    return Sales(revenue_steps, products, products, latest, now)  # type: ignore[arg-type]


def refused() -> Refused:
    """Refused events whose text is long and evil."""
    now = time.time()
    refusals = [
        {"event_id": f"r{n}", "at": now - 60 * n, "topic": "purchases", "rule": "lines.unit_price.price_of_a_sale",
         "sentence": f"unit_price must be above zero, and is {EVIL}{'9' * 300}"}
        for n in range(5)
    ]  # fmt: skip
    return Refused(1_234, refusals)  # type: ignore[arg-type]


def flowing() -> Flow:
    now = time.time()
    query = {"state": "running", "lag_events": 1_234_567, "error": "", "restarts": 0}
    waiting = query | {"state": "waiting 15 s to start again", "error": "MinIO is away", "lag_events": 0}
    events = [[int(now) - n, 40 + n % 37] for n in range(600, 0, -1)]
    fresh = {"event_count": 900, "p50_seconds": 0.337, "p99_seconds": 0.912}
    return Flow(
        {"queries": {"live:purchases": query, "lake:purchases": query, "lake:procurement": waiting}},
        {"now": now, "queries": {"live:purchases": {"events": events, "fresh": fresh}}},
    )


def viewers(site: Site) -> int:
    """How many watch now."""
    assert site.hub is not None
    return site.hub.viewers
