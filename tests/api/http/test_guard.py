"""Sizes, deadlines, names, headers and faults: what stands before every path."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.http import guard
from api.http.guard import Guard, GuardMiddleware
from api.http.metrics import Metrics
from conf import Settings, disk
from tests.api.asking import GOOD, RUNNER, Client, client, problem


async def _chunks(count: int, size: int, seen: list[int]) -> AsyncIterator[bytes]:
    for number in range(count):
        seen.append(number)
        yield b" " * size


def test_a_body_that_says_it_is_too_large_is_not_read(tmp_path: Path) -> None:
    api, seen = client(tmp_path, api_body_bytes=100_000), list[int]()
    headers = {"Content-Type": "application/json", "Content-Length": "100001"}

    answered = problem(api.ask("POST", "/v1/purchases", content=_chunks(2, 60_000, seen), headers=headers), 413)

    assert answered["detail"] == "The body has more than 100,000 bytes. Send less at a time."
    assert seen == []


def test_a_body_without_end_is_read_as_far_as_the_limit(tmp_path: Path) -> None:
    api, seen = client(tmp_path, api_body_bytes=100_000), list[int]()
    headers = {"Content-Type": "application/json"}

    problem(api.ask("POST", "/v1/purchases", content=_chunks(1_000, 10_000, seen), headers=headers), 413)

    assert len(seen) == 11


def test_no_body_is_read_without_a_key(tmp_path: Path) -> None:
    api, seen = client(tmp_path), list[int]()

    problem(api.ask("POST", "/v1/purchases", None, content=_chunks(9, 10, seen)), 401)

    assert seen == []


def test_all_bodies_together_have_a_limit(tmp_path: Path) -> None:
    api = client(tmp_path, api_bodies_bytes=50_000)

    answered = api.send(GOOD | {"source": "x" * 60_000})

    assert problem(answered, 503)["type"] == "urn:sauda:problem:busy"
    assert answered.headers["retry-after"] == "1"
    # What was held was given back.
    assert api.send(GOOD).status_code == 202


def _guarded(settings: Settings, app: Any) -> GuardMiddleware:
    return GuardMiddleware(app, Guard(settings, Metrics()))


def _scope(path: str = "/x") -> dict[str, Any]:
    return {"type": "http", "method": "POST", "path": path, "headers": [(b"host", b"localhost:8000")]}


def test_a_body_that_never_comes_ends_at_the_deadline(tmp_path: Path) -> None:
    """The client has sent its head, and then nothing."""
    sent: list[dict[str, Any]] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    settings = Settings(stack="unit", home=tmp_path, api_body_seconds=0.05)
    RUNNER.run(_guarded(settings, app)(_scope(), never, send))

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_an_answer_that_streams_is_not_cut_at_the_body_s_deadline(tmp_path: Path) -> None:
    seen: list[str] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        while (message := await receive())["type"] != "http.disconnect":
            seen.append(message["type"])
        seen.append("gone")

    messages = iter(["http.request", "http.disconnect"])

    async def receive() -> Any:
        kind = next(messages)
        if kind == "http.disconnect":
            await asyncio.sleep(0.1)
        return {"type": kind, "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        raise AssertionError("nothing was to be answered")

    settings = Settings(stack="unit", home=tmp_path, api_body_seconds=0.02)
    RUNNER.run(_guarded(settings, app)(_scope(), receive, send))

    assert seen == ["http.request", "gone"]


def test_a_foreign_host_is_refused(api: Client) -> None:
    answered = problem(api.ask("GET", "/healthz", headers={"Host": "evil.example"}), 421)

    assert "Host" in answered["detail"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_own_names_are_taken(api: Client, host: str) -> None:
    assert api.ask("GET", "/healthz", None, headers={"Host": host}).status_code == 200


def test_every_answer_has_the_headers_of_security(api: Client) -> None:
    for answer in (api.get("/healthz"), api.get("/nothing"), api.send(GOOD), api.send({})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_other_origins_are_not_let_in(api: Client) -> None:
    requested = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = api.ask("OPTIONS", "/v1/purchases", None, headers=requested)

    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_fault_of_ours_is_told_without_its_trace(api: Client, caplog: pytest.LogCaptureFixture) -> None:
    async def rows(*_: Any) -> Any:
        raise RuntimeError("a secret of the inside")

    api.warehouse.rows = rows  # type: ignore[method-assign]
    with caplog.at_level(logging.ERROR, "sauda.api"):
        answered = problem(api.get("/v1/purchases/17"), 500)

    assert "secret" not in str(answered)
    assert answered["instance"].startswith("urn:uuid:")
    assert answered["instance"] in caplog.text
    assert "a secret of the inside" in caplog.text


def test_requests_are_counted_by_the_path_s_pattern(api: Client) -> None:
    api.get("/v1/purchases/1")
    api.get("/v1/purchases/2")
    api.get("/no/such/path")
    answered = api.get("/metrics").text

    assert 'sauda_api_requests_total{method="GET",route="/v1/purchases/{event_id}",status="404"} 2.0' in answered
    assert 'sauda_api_requests_total{method="none",route="none",status="404"} 1.0' in answered
    assert "sauda_api_requests_in_flight 1.0" in answered
    assert "/no/such/path" not in answered


def test_nothing_is_taken_while_the_disk_is_full_and_everything_is_read(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "shortage", lambda _: "The disk of /secret/place has 3 MB free.")
    guard.DISK_SECONDS, before = 0.0, guard.DISK_SECONDS
    try:
        writes = {"POST": ("purchases", "purchases:batch", "returns", "sellers"), "PATCH": ("sellers/s",),
                  "PUT": ("purchases/s/1",), "DELETE": ("sellers/s",)}  # fmt: skip
        for method, path in ((method, f"/v1/{path}") for method, paths in writes.items() for path in paths):
            answer = api.ask(method, path, json=GOOD)
            answered = problem(answer, 507)
            assert "disk space" in answered["detail"]
            assert "/secret" not in answer.text
            assert answer.headers["retry-after"] == "30"
        assert api.get("/healthz").status_code == 200
        assert "sauda_api_disk_full 1.0" in api.get("/metrics").text
        monkeypatch.setattr(disk, "shortage", lambda _: "")
        assert api.send(GOOD).status_code == 202
    finally:
        guard.DISK_SECONDS = before
