"""Compressed bodies: decompressed while they arrive, and never to more than the limit."""

from __future__ import annotations

import zlib

from starlette.requests import Request

from api.http.guard import ON_DECOMPRESSED
from api.http.problems import Problem, too_large

ENCODINGS = ("gzip", "x-gzip")
PIECE = 1 << 16
WITH_HEADER = 16 + zlib.MAX_WBITS


async def decompress(request: Request, max_bytes: int) -> bytes:
    """The body of a gzip request. Raises a Problem: 400 for what is not gzip, 413 for more than `max_bytes`.

    A small body can decompress to any size: it is stopped at the first piece above the limit.
    """
    hold = request.scope.get(ON_DECOMPRESSED, lambda _: None)
    body = bytearray()
    member = zlib.decompressobj(WITH_HEADER)
    try:
        async for piece in request.stream():
            rest = piece
            while rest:
                if member.eof:
                    # Several members may follow one another (RFC 1952).
                    member = zlib.decompressobj(WITH_HEADER)
                some = member.decompress(rest, PIECE)
                rest = member.unused_data if member.eof else member.unconsumed_tail
                body += some
                hold(len(some))
                if len(body) > max_bytes:
                    raise too_large(max_bytes)
    except zlib.error:
        raise _bad("The body is not gzip, as its Content-Encoding says.") from None
    if not member.eof:
        raise _bad("The gzip body is incomplete.")
    return bytes(body)


def _bad(detail: str) -> Problem:
    return Problem(400, "gzip", detail)
