"""Bodies as JSON, read strictly: what two readers could take for two things is refused."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from starlette.requests import Request

from api.problems import Problem
from schemas.derive.reader import Literal

LARGE = 200_000
"""Bytes from which on a body is parsed in a thread, so that other requests need not wait."""
# Not behind an odd number of backslashes, which would make a text of it.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
TAKEN = ("application/json", "application/merge-patch+json")


async def read(request: Request) -> tuple[bytes, Any]:
    """The body as it came, and as values; a number with a point is a `Literal`. Raises a Problem."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in TAKEN:
        found = f"{media[:80]!r} was said" if media else "nothing was said"
        raise Problem(415, "media-type", f"The header Content-Type must be application/json; {found}.")
    body = await request.body()
    value = await asyncio.to_thread(parse, body) if len(body) > LARGE else parse(body)
    return body, value


def parse(body: bytes) -> Any:
    """The values of a JSON text. Raises a Problem (400) that says where it is none."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _bad(f"The body is not UTF-8 at byte {error.start}.") from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _bad(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    except RecursionError:
        raise _bad("The body is nested too deeply.") from None
    except ValueError:
        raise _bad("The body has a number with too many digits.") from None
    if "\\u" in text:
        _refuse_halves(value)
    return value


def _bad(detail: str) -> Problem:
    return Problem(400, "json", detail)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _bad(f"The body has the field {name[:80]!r} twice in one object.")
            seen.add(name)
    return made


def _constant(word: str) -> Any:
    raise _bad(f"The body holds {word}, which is no number of JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=Literal, parse_constant=_constant)


def _refuse_halves(value: Any) -> None:
    """Half a surrogate pair and NUL can be written in JSON, and not be stored as text."""
    written = json.dumps(value, ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError:
        raise _bad("The body holds half of a surrogate pair, which is no character.") from None
    if NUL.search(written):
        raise _bad("The body holds the character NUL.")
