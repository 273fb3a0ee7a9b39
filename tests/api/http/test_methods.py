"""HEAD wherever GET is, OPTIONS and Allow on every path; bodies that come packed."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import orjson
import pytest

from tests.api.asking import GOOD, Client, problem

JSON = {"Content-Type": "application/json"}
PATHS = ["/healthz", "/version", "/openapi.json", "/docs", "/v1/purchases/17", "/v1/analytics/sales/by-day",
         "/nothing", "/readyz", "/web/shell/dom.js", "/"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_the_body(api: Client, path: str) -> None:
    got, head = api.get(path), api.ask("HEAD", path)

    assert head.content == b""
    assert head.status_code == got.status_code
    assert dict(head.headers) == dict(got.headers)


def test_head_of_a_stream_without_end_ends(api: Client) -> None:
    """Refused here, for the client is not the page; what matters is that it comes back."""
    assert api.ask("HEAD", "/live").content == b""


@pytest.mark.parametrize(("path", "allow"), [
    ("/v1/purchases", "OPTIONS, POST"), ("/v1/purchases:batch", "OPTIONS, POST"),
    ("/v1/sellers", "GET, HEAD, OPTIONS, POST"), ("/v1/sellers/a", "DELETE, GET, HEAD, OPTIONS, PATCH"),
    ("/v1/purchases/a", "GET, HEAD, OPTIONS"), ("/v1/purchases/a/b", "OPTIONS, PUT"),
    ("/v1/returns/a/b/c", "OPTIONS, PUT"), ("/healthz", "GET, HEAD, OPTIONS"), ("/openapi.json", "GET, HEAD, OPTIONS"),
])  # fmt: skip
def test_allow_names_every_method(api: Client, path: str, allow: str) -> None:
    refused = api.ask("TRACE", path)
    assert problem(refused, 405)["detail"] == "This path does not accept TRACE."
    assert refused.headers["allow"] == allow
    answer = api.ask("OPTIONS", path, None)
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, allow, b"")


def test_options_of_nothing(api: Client) -> None:
    problem(api.ask("OPTIONS", "/nothing", None), 404)
    head = api.ask("HEAD", "/v1/purchases")
    assert (head.status_code, head.headers["allow"], head.content) == (405, "OPTIONS, POST", b"")


def send(api: Client, body: bytes, packing: str, path: str = "/v1/purchases") -> Any:
    return api.ask("POST", path, content=body, headers=JSON | {"Content-Encoding": packing})


def test_a_packed_body_is_the_body(api: Client) -> None:
    body = orjson.dumps(GOOD)
    plain = api.send(GOOD).json()

    assert send(api, gzip.compress(body), "gzip").json() == plain
    assert send(api, gzip.compress(body[:9]) + gzip.compress(body[9:]), "X-GZIP").json() == plain
    assert send(api, body, "identity").json() == plain
    many = orjson.dumps({"purchases": [GOOD]})
    assert send(api, gzip.compress(many), "gzip", "/v1/purchases:batch").json() == plain
    seller = api.ask("POST", "/v1/sellers", content=PACKED, headers=JSON | {"Content-Encoding": "gzip"})
    assert seller.status_code == 422


@pytest.mark.parametrize("packing", ["deflate", "br", "zstd", "gzip, gzip", "x"])
def test_how_else_a_body_is_packed_is_refused_with_what_is_taken(api: Client, packing: str) -> None:
    answer = send(api, zlib.compress(orjson.dumps(GOOD)), packing)

    answered = problem(answer, 415)
    assert answered["detail"] == f"The Content-Encoding header must be gzip or absent; it is {packing!r}."
    assert answer.headers["accept-encoding"] == "gzip"


# With a fixed time, as the body is part of the test's name.
PACKED = gzip.compress(b"{}", mtime=0)


@pytest.mark.parametrize(("body", "detail"), [
    (b"", "The gzip body is incomplete."), (PACKED[:-5], "The gzip body is incomplete."),
    (b"{}", "The body is not gzip, as its Content-Encoding says."),
    (PACKED + b"more", "The body is not gzip, as its Content-Encoding says."),
])  # fmt: skip
def test_what_does_not_unpack_is_told(api: Client, body: bytes, detail: str) -> None:
    assert problem(send(api, body, "gzip"), 400)["detail"] == detail


def test_a_bomb_does_not_go_off(api: Client) -> None:
    """A gigabyte of blanks in a megabyte: no more is unpacked than may be sent."""
    packer = zlib.compressobj(9, wbits=31)
    blanks = b" " * (1 << 20)
    bomb = b"".join(packer.compress(blanks) for _ in range(1_024)) + packer.flush()

    for path in ("/v1/purchases", "/v1/purchases:batch"):
        assert "bytes" in problem(send(api, bomb, "gzip", path), 413)["detail"]
    assert api.get("/healthz").status_code == 200
    assert "sauda_api_body_bytes 0.0" in api.get("/metrics").text
