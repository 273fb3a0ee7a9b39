"""The page, its files and its events over HTTP."""

from __future__ import annotations

import asyncio
import re
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
    made = mock.MagicMock(spec=Backends, probes={}, warehouse=mock.AsyncMock())
    made.__aenter__ = mock.AsyncMock(return_value=made)
    made.__aexit__ = mock.AsyncMock(return_value=None)
    return made


class Client:
    """Asks an application in this process; it is started and stopped for each request."""

    def __init__(self, settings: Settings) -> None:
        self.made: FastAPI = app(settings, no_backends())

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.made)
            async with (
                self.made.router.lifespan_context(self.made),
                httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client,
            ):
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def client() -> Client:
    return Client(Settings())


def test_the_page_comes_with_a_policy_that_lets_in_only_its_own_files(client: Client) -> None:
    answer = client.get("/")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_file_that_the_page_names_is_there(client: Client) -> None:
    seen, wanted = set(), ["/"]
    while wanted:
        path = wanted.pop()
        answer = client.get(path)
        assert answer.status_code == 200, path
        seen.add(path)
        if path == "/" or path.endswith(".js"):
            wanted += set(re.findall(r'["\'](/web/[^"\']+)["\']', answer.text)) - seen

    assert {"/web/app.css", "/web/app.js", "/web/charts.js", "/web/vendor/uplot/uPlot.esm.js"} <= seen


def test_nothing_is_loaded_from_elsewhere_or_written_inline(client: Client) -> None:
    page = client.get("/").text

    assert not re.findall(r'(?:src|href)="(?!/web/)', page)
    assert not re.findall(r"<style|style=| on\w+=|javascript:", page)
    assert all(re.fullmatch(r'<script (type="module" )?src="/web/\w+\.js">', tag)
               for tag in re.findall(r"<script[^>]*>", page))  # fmt: skip


def test_our_scripts_never_make_markup_of_data() -> None:
    ours = {name: found.body.decode() for name, found in routes.assets().items() if name.count("/") == 0}

    assert len(ours) > 5
    for name, code in ours.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function", code), name


def test_a_file_that_did_not_change_is_not_sent_again(client: Client) -> None:
    first = client.get("/web/app.js")
    again = client.get("/web/app.js", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["package.json", "../pyproject.toml", "..%2fpyproject.toml", "vendor", "nothing.js"])
def test_only_the_pages_own_files_can_be_asked_for(client: Client, name: str) -> None:
    assert client.get(f"/web/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/live", "/web/app.js"])
@pytest.mark.parametrize(
    "headers", [{"Host": "shop.example"}, {"X-Forwarded-For": "192.0.2.7"}, {"Host": "localhost.shop.example:8000"}]
)
def test_the_page_is_for_this_machine_only(path: str, headers: dict[str, str]) -> None:
    hosts = "localhost,shop.example,localhost.shop.example"
    answer = Client(Settings(api_hosts=hosts)).get(path, headers)

    assert answer.status_code == 403
    assert "asks for no key" in answer.json()["detail"]


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
    told = orjson.loads(sent[1].removeprefix(b"data: "))
    assert told["refused_count"] == 7
    assert told["sources"]["refused"]["error"] is None


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
