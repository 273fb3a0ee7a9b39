"""Heads of requests that come slowly, without end, or wrongly; on a real socket of loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn

from api.http.guard import Guard, GuardMiddleware
from api.http.metrics import Metrics
from api.http.protocol import ENDLESS, WHOLE, Protocol
from conf import Settings
from tests.api.asking import RUNNER

LARGE = b"x" * 20_000_000


class Short(Protocol):
    """With limits that a test can wait for."""

    header_seconds, header_bytes, max_connections = 0.2, 2_000, 3
    answer_seconds = 0.2
    instances: list[Short] = []
    """All of this server, with `lost` set when the connection is no more."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.lost = asyncio.Event()
        self.instances.append(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set()


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads no body, as a path does that refuses one. What it answers is the path, a large thing or a stream."""
    if scope["path"] == "/endless":
        scope[ENDLESS] = True
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.ensure_future(_gone(receive))
        while not gone.done():
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
            await asyncio.sleep(0)
        return
    body = LARGE if scope["path"] == "/large" else scope["path"].encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def served(ask: Callable[[int], Coroutine[Any, Any, Any]], serving_app: Any = app) -> Any:
    """Run `ask` beside a server."""

    async def run() -> Any:
        Short.instances.clear()
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(serving_app, http=Short, lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            return await asyncio.wait_for(ask(listener.getsockname()[1]), 10)
        finally:
            server.should_exit = True
            await serving
            listener.close()

    return RUNNER.run(run())


async def _said(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def _problem(answer: bytes) -> tuple[int, dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    return int(head.split()[1]), orjson.loads(body)


@pytest.mark.parametrize("pieces", [(b"",), (b"GET /x HTTP/1.1\r\nhost: x\r\n",), (b"\r\n" * 3,)])
def test_a_head_that_does_not_end_is_cut(pieces: tuple[bytes, ...]) -> None:
    status, answered = _problem(served(lambda port: _said(port, *pieces)))

    assert (status, answered["detail"]) == (408, "The head took too long.")


def test_a_head_that_comes_in_drops_is_cut_too() -> None:
    drops = [b"GET /x HTTP/1.1\r\n", *[b"a: b\r\n"] * 60]

    answer = served(lambda port: _said(port, *drops, pause=0.02))

    assert answer == b"" or _problem(answer)[0] == 408


def test_a_head_without_end_is_cut_by_its_size() -> None:
    status, answered = _problem(served(lambda port: _said(port, b"GET /x HTTP/1.1\r\n", b"a: " + b"b" * 3_000)))

    assert (status, answered["detail"]) == (431, "The head of the request has more than 2,000 bytes.")


def test_what_is_no_http_is_told_as_a_problem() -> None:
    status, answered = _problem(served(lambda port: _said(port, b"\x16\x03\x01 hello\r\n\r\n")))

    assert (status, answered["detail"]) == (400, "The request is not HTTP/1.1.")


def test_requests_one_after_the_other_have_each_their_time() -> None:
    async def ask(port: int) -> list[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        actual = []
        try:
            for number in range(4):
                writer.write(b"GET /%d HTTP/1.1\r\nhost: x\r\n" % number)
                await writer.drain()
                await asyncio.sleep(0.1)
                writer.write(b"\r\n")
                await reader.readuntil(b"\r\n\r\n")
                actual.append(await reader.readexactly(2))
        finally:
            writer.close()
        return actual

    assert served(ask) == [b"/0", b"/1", b"/2", b"/3"]


def test_the_rest_of_a_body_that_nobody_reads_does_not_hold_a_connection() -> None:
    head = b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n"

    answer = served(lambda port: _said(port, head, *[b"x"] * 30, pause=0.02))

    assert answer == b"" or answer.startswith(b"HTTP/1.1 200")


def test_connections_beyond_the_limit_are_told() -> None:
    async def ask(port: int) -> bytes:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0.05)
        answer = await _said(port)
        for _, writer in held:
            writer.close()
        return answer

    assert _problem(served(ask))[0] == 503


def _unread(port: int, *requests: bytes) -> socket.socket:
    """A client that asks and does not read; its own buffer is small."""
    created = socket.socket()
    created.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    created.connect(("127.0.0.1", port))
    for request in requests:
        created.sendall(request)
    return created


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode()


@pytest.mark.parametrize("requests", [(_get("/large"),), (_get("/large"), b"no http\r\n\r\n"), (_get("/large"),) * 3])
def test_who_does_not_read_the_answer_is_hung_up_on(requests: tuple[bytes, ...]) -> None:
    async def ask(port: int) -> None:
        client = _unread(port, *requests)
        while not Short.instances:
            await asyncio.sleep(0.01)
        await asyncio.wait_for(Short.instances[0].lost.wait(), 5)
        client.close()

    served(ask)


def test_who_reads_slowly_is_given_all() -> None:
    """A piece at a time, in five times the seconds in which nothing at all may be left lying."""

    async def ask(port: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=100_000)
        writer.write(_get("/large"))
        try:
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            size = 0
            while size < len(LARGE):
                size += len(await reader.readexactly(500_000))
                await asyncio.sleep(0.025)
            return size
        finally:
            writer.close()

    assert served(ask) == len(LARGE)


def test_a_stream_that_nobody_reads_keeps_its_place_and_little_memory() -> None:
    async def ask(port: int) -> None:
        client = _unread(port, _get("/endless"))
        while not (Short.instances and Short.instances[0].flow.write_paused):
            await asyncio.sleep(0.01)
        (created,) = Short.instances
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(created.lost.wait(), 5 * Short.answer_seconds)
        assert created.transport.get_write_buffer_size() < 100_000
        client.close()
        await asyncio.wait_for(created.lost.wait(), 5)

    served(ask)


@pytest.mark.parametrize(("pieces", "whole"), [((b"xyz",), b"True"), ((b"x", b"yz"), b"False")])
def test_a_body_is_called_whole_only_when_all_of_it_has_come(pieces: tuple[bytes, ...], whole: bytes) -> None:
    """Said when the application begins, which may be before the rest comes."""

    async def telling(scope: Any, receive: Any, send: Any) -> None:
        sentence = b"%a" % (WHOLE in scope)
        while (await receive()).get("more_body"):
            pass
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(sentence))]}
        )
        await send({"type": "http.response.body", "body": sentence})

    head = b"POST /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 3\r\n\r\n"

    answer = served(lambda port: _said(port, head + pieces[0], *pieces[1:], pause=0.05), telling)

    assert answer.endswith(b"\r\n\r\n" + whole)


def test_a_body_that_comes_in_drops_is_cut_at_its_deadline(tmp_path: Path) -> None:
    """Each drop comes in time; all of them together do not."""

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await app(scope, receive, send)

    settings = Settings(stack="unit", home=tmp_path, api_body_seconds=0.3, api_hosts="x")
    head = b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n"

    guarded = GuardMiddleware(reading, Guard(settings, Metrics()))
    answer = served(lambda port: _said(port, head, *[b"x"] * 100, pause=0.02), guarded)

    assert answer == b"" or _problem(answer)[0] == 408
