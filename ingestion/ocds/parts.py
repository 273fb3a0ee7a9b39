"""What stands in a file of OCDS, part by part: no more than one release or record is held at a time.

A file may hold one JSON value or many, on lines of their own or not. As long as each line is a whole value, lines are
read; from the first that is none, or is too long to be held, the rest is read as a stream.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain
from typing import Any, NoReturn

import ijson
import msgspec
from ijson.common import IncompleteJSONError, ObjectBuilder

from ingestion.errors import Unreadable
from ingestion.ocds.files import BLOCK, JsonFile

LONGEST_LINE = 4 << 20
LISTS = ("releases", "records")
SECTIONS = frozenset({"parties", "buyer", "planning", "tender", "bids", "awards", "contracts"})
KEPT = SECTIONS | {"ocid", "id", "date", "tag"}
"""What is read of a release that stands by itself."""

Part = tuple[str, Any]
"""One release or record with the name of its list; or "" and what else its value has, the lists there being empty."""

Token = tuple[str, Any]
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_OPENS = {"start_map", "start_array"}
_CLOSES = {"end_map", "end_array"}
_EXPECTED = {
    "separated by a colon": "a colon after the key",
    "inside map": "a comma or }",
    "after array element": "a comma or ]",
    "invalid object key": "a key in double quotes",
    "inside string": "a closing quote, or an escape for this character",
    "inside a string": "a character that may follow a backslash",
}


def parts(file: JsonFile) -> Iterator[Part]:
    """The parts of all values of a file, in its order. Raises Unreadable with the place where it is no JSON."""
    line, offset = 1, 0
    with file.open() as text:
        while whole := text.readline(LONGEST_LINE):
            if not whole.isspace():
                value = _of_line(whole)
                if value is None:
                    yield from _streamed(file, text, whole, line, offset)
                    return
                yield from _of_value(value)
            line, offset = line + whole.count(b"\n"), offset + len(whole)


def _of_line(line: bytes) -> dict[str, Any] | None:
    """The object that a whole line is; None where it is none, or may go on."""
    if len(line) == LONGEST_LINE:
        return None
    try:
        value = _decode(line)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _of_value(value: dict[str, Any]) -> Iterator[Part]:
    for name in LISTS:
        if isinstance(listed := value.get(name), list):
            value[name] = []
            yield from ((name, part) for part in listed)
    yield "", value


class _Counted:
    """What a parser reads of a stream, with how much that was before its last reading."""

    def __init__(self, first: bytes, rest: io.BufferedReader) -> None:
        self._first, self._rest = io.BytesIO(first), rest
        self.before = self.read_so_far = 0

    def read(self, size: int) -> bytes:
        block = self._first.read(size) or self._rest.read(size)
        if size:
            self.before, self.read_so_far = self.read_so_far, self.read_so_far + len(block)
        return block


def _streamed(file: JsonFile, text: io.BufferedReader, first: bytes, line: int, offset: int) -> Iterator[Part]:
    """The parts of the rest of a file, which begins with `first` on a line, so many bytes from the file's beginning."""
    source = _Counted(first, text)
    tokens = ijson.basic_parse(source, multiple_values=True, buf_size=BLOCK)
    try:
        yield from _of_tokens(file, tokens)
    except IncompleteJSONError as problem:
        _refuse(file, str(problem), line, offset, source.before)
    except (ValueError, ArithmeticError, SystemError):
        # Numbers that Python makes none of; with SystemError the parser passes such an error on.
        raise Unreadable(
            f"{file.name} has a number with more digits than can be read, after byte {offset + source.before:,}; "
            "amounts of at most 14 digits before the point were expected."
        ) from None


def _of_tokens(file: JsonFile, tokens: Iterator[Token]) -> Iterator[Part]:
    for event, _ in tokens:
        if event != "start_map":
            what = "a list" if event == "start_array" else f"a {event}"
            raise Unreadable(
                f"{file.name} has {what} where an object was expected: a release package, a record package or a "
                "compiled release."
            )
        told: dict[str, Any] = {}
        for ends, name in tokens:
            if ends == "end_map":
                break
            opened = next(tokens)
            if name in LISTS and opened[0] == "start_array":
                told[name] = []
                for token in tokens:
                    if token[0] == "end_array":
                        break
                    yield name, _value(token, tokens)
            else:
                told[name] = _value(opened, tokens, is_kept=name in KEPT)
        yield "", told


def _value(token: Token, tokens: Iterator[Token], *, is_kept: bool = True) -> Any:
    """The value that begins with the token; None where it is only passed over."""
    builder = ObjectBuilder() if is_kept else None
    depth = 0
    while True:
        if builder:
            builder.event(*token)
        depth += (token[0] in _OPENS) - (token[0] in _CLOSES)
        if not depth:
            return builder.value if builder else None
        token = next(tokens)


def _refuse(file: JsonFile, reason: str, line: int, offset: int, sound: int) -> NoReturn:
    """Read again from the line on: the parser says why it stops and not where. `sound` bytes are known to be good."""
    with file.open() as text:
        _pass_over(text, offset)
        at, line, rest = _stopped(text, sound, line)
    place = file.place(line, offset + at)
    if not rest:
        raise Unreadable(f"{file.name} is no whole JSON: it ends at {place}, in the middle of a value.")
    expected = next((said for word, said in _EXPECTED.items() if word in reason), "a value, a comma or a bracket")
    shown = rest.decode("utf-8", "ignore").splitlines()[0]
    raise Unreadable(f"{file.name} is no valid JSON: {place}: found {shown!r}, expected {expected}.")


def _stopped(text: io.BufferedReader, sound: int, line: int) -> tuple[int, int, bytes]:
    """Where the parser stops: bytes before it, its line, and how the text goes on."""
    heard = _Heard()
    parser = ijson.basic_parse_coro(heard, multiple_values=True)
    at, since = 0, b""
    for piece in chain(_blocks(text, sound), _bytes(text)):
        heard.anything = False
        try:
            parser.send(piece)
        except IncompleteJSONError as problem:
            # A token that should not stand there is only refused at its end.
            begun = since.lstrip(b" \t\r\n,:") if str(problem).startswith("parse error") else b""
            return at - len(begun), line - begun.count(b"\n"), begun + piece + text.read(15)
        at, line = at + len(piece), line + piece.count(b"\n")
        since = b"" if heard.anything or len(piece) > 1 else since + piece
    return at, line, b""


class _Heard:
    """Takes a parser's tokens; `anything` tells whether one came."""

    anything = False

    def send(self, token: Token) -> None:  # noqa: ARG002
        self.anything = True


def _blocks(text: io.BufferedReader, count: int) -> Iterator[bytes]:
    while count and (block := text.read(min(BLOCK, count))):
        count -= len(block)
        yield block


def _bytes(text: io.BufferedReader) -> Iterator[bytes]:
    while byte := text.read(1):
        yield byte


def _pass_over(text: io.BufferedReader, count: int) -> None:
    for _ in _blocks(text, count):
        pass


def names(told: Iterable[str], most: int = 8) -> str:
    """A few of an object's keys, for a sentence."""
    keys = list(told)
    return ", ".join(keys[:most]) + (f" and {len(keys) - most:,} more" if len(keys) > most else "")
