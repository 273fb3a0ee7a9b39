"""What stands in a file of OCDS, part by part: no more than one release or record is held at a time.

A file may hold one JSON value or many, on lines of their own or not, and lists of them. As long as each line is a whole
value, lines are read; from the first that is none, or is too long to be held, the rest is read as a stream. Where that
cannot be, and other lines are whole, the line is broken: it is left out, and the next one read.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, NoReturn

import ijson
import msgspec
from ijson.common import IncompleteJSONError, ObjectBuilder

from ingestion.core.errors import Unreadable
from ingestion.procurement.ocds.files import BLOCK, JsonFile

LONGEST_LINE = 4 << 20
LONGEST_SOUGHT = 1 << 16
"""Bytes of a line in which the place of what is wrong is looked for, byte by byte."""
LISTS = ("releases", "records")
SECTIONS = frozenset({"parties", "buyer", "planning", "tender", "bids", "awards", "contracts"})
RECORD = frozenset({"compiledRelease", "versionedRelease"})
KEPT = SECTIONS | {"ocid", "id", "date", "tag"}
"""What is read of a release."""


@dataclass(frozen=True, slots=True)
class Part:
    """One release or record with the name of its list; or no name and what else its value has, the lists there being
    empty. `line` is where its value begins, where lines are values."""

    name: str
    value: Any
    line: int = 0


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


def parts(file: JsonFile, problem: Callable[[str], None]) -> Iterator[Part]:
    """The parts of all values of a file, in its order. `problem` hears of lines that are left out.

    Raises Unreadable with the place where it is no JSON.
    """
    with file.open() as text:
        lines = _Lines(text)
        is_by_lines = False
        for number, offset, line in lines:
            value = _of_line(line)
            if value is not _NONE:
                yield from (Part(part.name, part.value, number) for part in _of_value(value))
                is_by_lines = True
            elif (is_by_lines or lines.is_next_whole()) and (reason := _why_not(file, number, offset)):
                problem(f"{reason} The line is left out.")
                lines.pass_over(line)
            else:
                yield from _streamed(file, text, line + lines.peeked(), number, offset)
                return


_NONE = object()


class _Lines:
    """The lines of a text that are not blank, each with its number and its place; one may be looked at beforehand."""

    def __init__(self, text: io.BufferedReader) -> None:
        self._text, self._ahead = text, b""
        self._number, self._offset = 1, 0

    def __iter__(self) -> Iterator[tuple[int, int, bytes]]:
        while line := self._read():
            number, offset = self._number, self._offset
            self._number, self._offset = number + line.count(b"\n"), offset + len(line)
            if not line.isspace():
                yield number, offset, line

    def _read(self) -> bytes:
        line, self._ahead = self._ahead or self._text.readline(LONGEST_LINE), b""
        return line

    def is_next_whole(self) -> bool:
        """Whether the next line is an object as a whole."""
        self._ahead = self._ahead or self._text.readline(LONGEST_LINE)
        return isinstance(_of_line(self._ahead), dict)

    def peeked(self) -> bytes:
        """What was read beforehand, for whoever reads on from the text."""
        ahead, self._ahead = self._ahead, b""
        return ahead

    def pass_over(self, line: bytes) -> None:
        """Go on behind a line that is longer than what was read of it."""
        while line and not line.endswith(b"\n"):
            line = self._read()
            self._number, self._offset = self._number + line.count(b"\n"), self._offset + len(line)


def _of_line(line: bytes) -> Any:
    """The value that a whole line is; `_NONE` where it is none, or may go on."""
    if len(line) == LONGEST_LINE:
        return _NONE
    try:
        return _decode(line)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        return _NONE


def _of_value(value: Any) -> Iterator[Part]:
    if isinstance(value, list):
        for part in value:
            yield from _of_value(part)
        return
    if isinstance(value, dict):
        for name in LISTS:
            listed = value.get(name)
            if isinstance(listed, list):
                value[name] = []
                yield from (Part(name, part) for part in listed)
    yield Part("", value)


def _why_not(file: JsonFile, line: int, offset: int) -> str:
    """Why the text from a line on is no JSON; nothing where it is."""
    with file.open() as text:
        _pass_over(text, offset)
        source = _Counted(b"", text)
        try:
            for _ in ijson.basic_parse(source, multiple_values=True, buf_size=BLOCK):
                pass
        except IncompleteJSONError:
            return _place(file, line, offset)
        except (ValueError, ArithmeticError, SystemError):
            return f"{file.name}, line {line:,}, has a number with more digits than can be read."
    return ""


def _place(file: JsonFile, line: int, offset: int) -> str:
    """Where a line stops being JSON. It is read alone, for what comes after it may look like its end."""
    with file.open() as text:
        _pass_over(text, offset)
        alone = text.readline(LONGEST_LINE)
    try:
        alone.decode()
    except UnicodeDecodeError as problem:
        where = file.place(line, offset + problem.start)
        return f"{file.name}, {where}: the byte 0x{alone[problem.start]:02x} is no UTF-8 there."
    if len(alone) > LONGEST_SOUGHT:
        return f"{file.name}, line {line:,} is no JSON."
    at, _, rest = _stopped(io.BufferedReader(io.BytesIO(alone)), 0, line)
    where = file.place(line, offset + at)
    if not rest.strip():
        return f"{file.name}, {where}: the line ends in the middle of a value."
    return f"{file.name}, {where}: found {rest.decode('utf-8', 'ignore').splitlines()[0]!r}, which is no JSON there."


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
        yield from _of_tokens(tokens)
    except IncompleteJSONError as problem:
        if file.undecoded:
            raise Unreadable(file.undecoded) from None
        _refuse(file, str(problem), line, offset, source.before)
    except (ValueError, ArithmeticError, SystemError):
        # Numbers that Python makes none of; with SystemError the parser passes such an error on.
        raise Unreadable(
            f"{file.name} has a number with more digits than can be read, after byte {offset + source.before:,}; "
            "amounts of at most 14 digits before the point were expected."
        ) from None


def _of_tokens(tokens: Iterator[Token]) -> Iterator[Part]:
    for token in tokens:
        yield from _of_token(token, tokens)


def _of_token(token: Token, tokens: Iterator[Token]) -> Iterator[Part]:
    """The parts of the value that begins with the token; of a list those of its elements."""
    event, value = token
    if event == "start_array":
        for inner in tokens:
            if inner[0] == "end_array":
                return
            yield from _of_token(inner, tokens)
    elif event != "start_map":
        yield Part("", value)
    else:
        content: dict[str, Any] = {}
        for ends, name in tokens:
            if ends == "end_map":
                break
            opened = next(tokens)
            if name in LISTS and opened[0] == "start_array":
                content[name] = []
                for inner in tokens:
                    if inner[0] == "end_array":
                        break
                    yield Part(name, _value(inner, tokens))
            else:
                content[name] = _value(opened, tokens, is_kept=name in KEPT or name in RECORD or name in LISTS)
        yield Part("", content)


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
    expected = next(
        (expectation for word, expectation in _EXPECTED.items() if word in reason), "a value, a comma or a bracket"
    )
    shown = rest.decode("utf-8", "ignore").splitlines()[0]
    raise Unreadable(f"{file.name} is no valid JSON: {place}: found {shown!r}, expected {expected}.")


def _stopped(text: io.BufferedReader, sound: int, line: int) -> tuple[int, int, bytes]:
    """Where the parser stops: bytes before it, its line, and how the text goes on."""
    collector = _EventCollector()
    parser = ijson.basic_parse_coro(collector, multiple_values=True)
    at, since = 0, b""
    for piece in chain(_blocks(text, sound), _bytes(text)):
        collector.anything = False
        try:
            parser.send(piece)
        except IncompleteJSONError as problem:
            # A token that should not stand there is only refused at its end.
            begun = since.lstrip(b" \t\r\n,:") if str(problem).startswith("parse error") else b""
            return at - len(begun), line - begun.count(b"\n"), begun + piece + text.read(15)
        at, line = at + len(piece), line + piece.count(b"\n")
        since = b"" if collector.anything or len(piece) > 1 else since + piece
    return at, line, b""


class _EventCollector:
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


def names(content: Iterable[str], most: int = 8) -> str:
    """A few of an object's keys, for a sentence."""
    keys = list(content)
    return ", ".join(keys[:most]) + (f" and {len(keys) - most:,} more" if len(keys) > most else "")
