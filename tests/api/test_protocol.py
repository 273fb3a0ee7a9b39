"""Heads of requests that come slowly, without end, or wrongly; on a real socket of loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
import pytest
import uvicorn

from api.protocol import Protocol
from tests.api.asking import RUNNER


class Short(Protocol):
    """With limits that a test can wait for."""

    header_seconds, header_bytes, most_connections = 0.2, 2_000, 3


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads no body, as a path does that refuses one."""
    del receive
    body = scope["path"].encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def served(ask: Callable[[int], Coroutine[Any, Any, Any]]) -> Any:
    """Run `ask` beside a server."""

    async def run() -> Any:
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=Short, lifespan="off", log_config=None, access_log=False)
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
    status, told = _problem(served(lambda port: _said(port, *pieces)))

    assert (status, told["detail"]) == (408, "The head took too long.")


def test_a_head_that_comes_in_drops_is_cut_too() -> None:
    drops = [b"GET /x HTTP/1.1\r\n", *[b"a: b\r\n"] * 60]

    answer = served(lambda port: _said(port, *drops, pause=0.02))

    assert answer == b"" or _problem(answer)[0] == 408


def test_a_head_without_end_is_cut_by_its_size() -> None:
    status, told = _problem(served(lambda port: _said(port, b"GET /x HTTP/1.1\r\n", b"a: " + b"b" * 3_000)))

    assert (status, told["detail"]) == (431, "The head of the request has more than 2,000 bytes.")


def test_what_is_no_http_is_told_as_a_problem() -> None:
    status, told = _problem(served(lambda port: _said(port, b"\x16\x03\x01 hello\r\n\r\n")))

    assert (status, told["detail"]) == (400, "The request is not HTTP/1.1.")


def test_requests_one_after_the_other_have_each_their_time() -> None:
    async def ask(port: int) -> list[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        found = []
        for number in range(4):
            writer.write(b"GET /%d HTTP/1.1\r\nhost: x\r\n" % number)
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.write(b"\r\n")
            await reader.readuntil(b"\r\n\r\n")
            found.append(await reader.readexactly(2))
        writer.close()
        return found

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
