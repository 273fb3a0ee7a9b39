"""Bodies as JSON, read strictly: what two parsers could read differently is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request

from api.http import decompression
from api.http.problems import Problem, too_large
from schemas.derive.validation import Literal

LARGE = 100_000
"""Bytes from which a body counts as large: large ones are read one at a time (`Backends.turn`)."""
MAX_COMMAS = 100_000
"""In a million characters; the densest valid batch has two thirds of it. Each comma is a value in memory."""
WINDOW, GROWTH = 64_000, 4
# Not after an odd number of backslashes, which would make it text.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SPACE = re.compile(r"[ \t\n\r]*")
_FIRST = re.compile(r"[ \t\n\r]*(\])?")
_NEXT = re.compile(r"[ \t\n\r]*([,\]])[ \t\n\r]*")
# An unterminated string is matched to the end: a new search from each quote in it would take quadratic time.
_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
MEDIA_TYPES = ("application/json", "application/merge-patch+json")


async def read(request: Request, max_bytes: int) -> Any:
    """The body's values; a number with a point is a `Literal`. Raises a Problem."""
    return parse(await receive(request, max_bytes))


async def receive(request: Request, max_bytes: int) -> bytes:
    """The body, of at most so many bytes when decompressed; more are not read. Raises a Problem."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in MEDIA_TYPES:
        received = f"it is {media[:80]!r}" if media else "it is missing"
        raise Problem(415, "media-type", f"The Content-Type header must be application/json; {received}.")
    packing = request.headers.get("content-encoding", "").strip().lower()
    if packing in decompression.ENCODINGS:
        return await decompression.decompress(request, max_bytes)
    if packing not in ("", "identity"):
        raise Problem(
            415, "content-encoding",
            f"The Content-Encoding header must be gzip or absent; it is {packing[:80]!r}.",
            headers={"Accept-Encoding": "gzip"},
        )  # fmt: skip
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise too_large(max_bytes)
    return b"".join(pieces)


def parse(body: bytes) -> Any:
    """The values of a JSON text. Raises a Problem (400) that says where it is not JSON."""
    text = decoded(body)
    _refuse_dense(text)
    start = _SPACE.match(text).end()  # type: ignore[union-attr]
    try:
        value, end = _read(text, start)
    except json.JSONDecodeError as error:
        raise not_json(error.msg, error.pos) from None
    end = _SPACE.match(text, end).end()  # type: ignore[union-attr]
    if end < len(text):
        raise not_json("Extra data", end)
    return value


def elements(text: str, at: int, largest: int) -> Iterator[tuple[str, Any, int]]:
    """The elements of a list, from after its bracket: as they were written, as values, and where each ends.

    One at a time, and none of more than `largest` characters: what follows is not read before it is needed.
    Raises a Problem (400), and `Oversized`.
    """
    beginning = _FIRST.match(text, at)
    assert beginning
    at = beginning.end()
    if beginning[1]:
        return
    base, size = at, WINDOW
    window = _window(text, base, size)
    while True:
        is_cut = base + len(window) < len(text)
        try:
            value, end = _read(window, at - base)
            # A number may continue after the cut.
            is_whole = not is_cut or end < len(window)
            trouble = None
        except json.JSONDecodeError as error:
            is_whole, trouble = not is_cut, error
        if not is_whole and (base < at or size <= largest):
            size = WINDOW if base < at else size * GROWTH
            base = at
            window = _window(text, base, min(size, largest + 1))
            continue
        if trouble is not None:
            if is_cut and (trouble.msg.startswith("Unterminated") or trouble.pos > len(window) - len("-Infinity")):
                raise Oversized
            raise not_json(trouble.msg, base + trouble.pos) from None
        yield text[at : base + end], value, base + end
        after = _NEXT.match(text, base + end)
        if after is None:
            raise not_json("Expecting ',' delimiter", base + end)
        if after[1] == "]":
            return
        at = after.end()


class Oversized(Exception):
    """An element has more characters than one may have."""


def _window(text: str, base: int, size: int) -> str:
    window = text[base : base + size]
    _refuse_dense(window)
    return window


def _refuse_dense(text: str) -> None:
    if text.count(",") > MAX_COMMAS and _TEXT.sub("", text).count(",") > MAX_COMMAS:
        raise Problem(422, "invalid", f"The body has more than {MAX_COMMAS:,} values within a million characters.")


def decoded(body: bytes) -> str:
    """The text. Raises a Problem (400)."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise _bad(f"The body is not UTF-8 at byte {error.start}.") from None


def _read(text: str, at: int) -> tuple[Any, int]:
    """The value that begins at a place, and where it ends. Raises a Problem (400), and JSONDecodeError."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except RecursionError:
        raise _bad("The body is nested too deeply.") from None
    except json.JSONDecodeError:
        raise
    except ValueError:
        raise _bad("The body has a number with too many digits.") from None
    if text.find("\\u", at, end) >= 0:
        _refuse_halves(value)
    return value, end


def duplicate_field(name: str) -> Problem:
    return _bad(f"The body has the field {name[:80]!r} twice in one object.")


def not_json(reason: str, at: int) -> Problem:
    return _bad(f"The body is not JSON: {reason} at character {at}.")


def _bad(detail: str) -> Problem:
    return Problem(400, "json", detail)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise duplicate_field(name)
            seen.add(name)
    return members


def _constant(word: str) -> Any:
    raise _bad(f"The body holds {word}, which is not a number in JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=Literal, parse_constant=_constant)


def _refuse_halves(value: Any) -> None:
    """Half a surrogate pair and NUL can be written in JSON, and not be stored as text."""
    written = json.dumps(value, ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError:
        raise _bad("The body holds half of a surrogate pair, which is not a character.") from None
    if NUL.search(written):
        raise _bad("The body holds the character NUL.")
