"""The page, its files and its events over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from unittest import mock

import httpx
import orjson
import pytest
from fastapi import FastAPI

from api.app import app
from api.backends.backends import Backends
from api.http.protocol import ENDLESS, Protocol
from api.live import routes
from api.live.document import Reading, Refused
from api.live.hub import Hub, Source
from api.purchases.live_document import Sales
from conf import Settings


def no_backends() -> Any:
    """As much of the backends as the page asks for."""
    created = mock.MagicMock(spec=Backends, probes={}, warehouse=mock.AsyncMock())
    created.__aenter__ = mock.AsyncMock(return_value=created)
    created.__aexit__ = mock.AsyncMock(return_value=None)
    return created


class Client:
    """Asks an application in this process; it is started and stopped for each request."""

    def __init__(self, settings: Settings) -> None:
        self.application: FastAPI = app(settings, no_backends())

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.application)
            async with (
                self.application.router.lifespan_context(self.application),
                httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client,
            ):
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def client() -> Client:
    return Client(Settings())


def test_another_site_cannot_watch(client: Client) -> None:
    answer = client.get("/live", headers={"Sec-Fetch-Site": "cross-site"})

    assert (answer.status_code, answer.json()["type"]) == (403, "urn:sauda:problem:elsewhere")


def test_more_viewers_than_places_are_told_to_come_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MAX_VIEWERS", 0)

    answer = client.get("/live")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.headers["content-type"] == "application/problem+json"


def test_events_are_whole_states_and_a_viewer_who_leaves_frees_its_place() -> None:
    """Against the answer itself: a test client would wait for its end."""

    async def refused() -> Refused:
        return Refused(7)

    async def trial() -> tuple[list[bytes], Hub]:
        hub = Hub([Source("refused", refused)], routes._event, max_viewers=1, every=0.005)
        sent: list[bytes] = []
        enough = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await enough.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))
            if len(sent) > 3:
                enough.set()

        scope = {"type": "http", "method": "GET", "asgi": {"spec_version": "2.3"}, ENDLESS: True}
        async with asyncio.timeout(10):
            await routes.ViewerResponse(hub)(scope, receive, send)
        return sent, hub

    sent, hub = asyncio.run(trial())

    assert hub.viewers == 0
    assert sent[1].startswith(b"data: {")
    assert sent[1].endswith(b"}\n\n")
    answered = orjson.loads(sent[1].removeprefix(b"data: "))
    assert answered["refused_count"] == 7
    assert answered["sources"]["refused"]["error"] is None


@pytest.mark.parametrize("is_endless", [True, False])
def test_when_the_server_stops_only_answers_without_an_end_are_cut(is_endless: bool) -> None:
    stopping = Protocol.__new__(Protocol)
    scope = {ENDLESS: True} if is_endless else {}
    stopping.transport = mock.Mock()
    stopping.cycle = mock.Mock(scope=scope, response_complete=False, keep_alive=True)

    stopping.shutdown()

    assert stopping.transport.close.called is is_endless
    assert stopping.cycle.keep_alive is False, "no other request is taken"


def test_a_name_with_a_line_break_stays_in_one_event() -> None:
    sales = Sales(latest=[{"event_id": "e", "at": 1.0, "seller_id": "s", "currency_code": "KZT", "amount": 1.0,
                           "line_count": 1, "product": "two\nlines\r\n\r\ndata: x"}])  # fmt: skip

    written = routes._event(5.0, {"sales": Reading(sales, None, 5.0)})

    assert written.count(b"\n") == 2
    assert orjson.loads(written.removeprefix(b"data: "))["latest"][0]["product"] == "two\nlines\r\n\r\ndata: x"
