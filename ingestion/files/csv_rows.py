"""CSV files row by row, packed or not, in any encoding, with the line numbers of each row.

Nothing is swallowed: where quotes are broken, the row that breaks them is given by itself and the rows after it are
read anew. A file that cannot be read to its end is refused with the place where it stops.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import lzma
import os
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ingestion.core.errors import Unreadable
from ingestion.files.encoding import EncodingGuess, guess_encoding, mark_of_order
from ingestion.files.packed import Packed, unpacked

BLOCK = 1 << 20
DELIMITERS = ";,\t|"
SEPARATOR_LINE = re.compile(r'^\ufeff?"?sep=(.)"?[ ;,\t]*\r?$', re.IGNORECASE)
# A cell may be as long as a whole event: it is the stream that refuses what is too long.
csv.field_size_limit(1_000_000)


class Row(NamedTuple):
    """`first` and `last` are the physical lines it stands on, the file's first being 1. `is_broken`: its quotes are."""

    first: int
    last: int
    cells: list[str]
    is_broken: bool = False


class Undecodable(Unreadable):
    """The bytes are not of the encoding."""


@dataclass
class CsvFile:
    """A file whose beginning has been looked at. Reading raises Unreadable with the place, in `rows` too.

    Without an encoding it is told from the file's beginning; `look_whole` tells it from all of it, where the beginning
    misled. Without a delimiter it is what Excel's line ``sep=`` says, else the comma.
    """

    path: Path
    encoding: str = ""
    delimiter: str = ""
    called: str = ""

    @property
    def name(self) -> str:
        """The file's name for messages, unless it is called otherwise; bytes that are no text are replaced."""
        return self.called or os.fsencode(self.path.name).decode("utf-8", "replace")

    def fingerprint(self) -> tuple[int, int]:
        """Changes when the file does."""
        facts = self.path.stat()
        return facts.st_size, facts.st_mtime_ns

    def rows(self, delimiter: str = "") -> Iterator[Row]:
        """Every row; lines without any text are passed over, and Excel's line that names the separator."""
        return self._guarded(delimiter or self.separator or self.delimiter or ",")

    def lines(self, count: int) -> list[str]:
        """The first lines, as they stand."""
        return self._beginning.splitlines()[:count]

    @property
    def separator(self) -> str:
        """What Excel's line ``sep=;`` says, or nothing."""
        detected = SEPARATOR_LINE.match(self._beginning.partition("\n")[0])
        return detected[1] if detected else ""

    @cached_property
    def chosen(self) -> str:
        """The encoding that it is read in. Raises Unreadable where that is not certain."""
        named = mark_of_order(self._start)
        if not self.encoding:
            return self._certain(guess_encoding(self._start, is_whole=len(self._start) < BLOCK))
        fitting = (named, f"{named}-le", f"{named}-be")
        if named in {"utf-16", "utf-32"} and codecs.lookup(self.encoding).name not in fitting:
            raise Unreadable(
                f"{self.name} is {named.upper()}: it begins with {self._start[:2].hex(' ').upper()}. Leave --encoding "
                f"{self.encoding} out."
            )
        # utf-8-sig takes a byte order mark, or none.
        return named or ("utf-8-sig" if codecs.lookup(self.encoding).name == "utf-8" else self.encoding)

    def look_whole(self) -> bool:
        """Tell the encoding from the whole file; whether it is another one. Raises Unreadable where none is certain."""
        if self.encoding:
            return False
        detected = self._certain(guess_encoding(self._telling()))
        if codecs.lookup(detected).name == codecs.lookup(self.chosen).name.removesuffix("-sig"):
            return False
        self.chosen = detected
        return True

    def _certain(self, guess: EncodingGuess) -> str:
        if guess.encoding:
            return guess.encoding
        could = " or ".join(f"--encoding {page} ({text!r})" for page, text in guess.candidates)
        raise Undecodable(
            f"{self.name} is not utf-8: {self._place('utf-8')}. What it is instead cannot be told for certain: name "
            f"it, as in {could or '--encoding windows-1251'}."
        )

    @cached_property
    def _start(self) -> bytes:
        with self._faults(), self._binary() as file:
            return file.read(BLOCK)

    @cached_property
    def _beginning(self) -> str:
        return self._start[: BLOCK // 4].decode(self.chosen, "replace")

    def _guarded(self, by: str) -> Iterator[Row]:
        with self._faults(), self._text() as text:
            try:
                yield from _rows(text, by, bool(self.separator))
            except UnicodeDecodeError:
                raise Undecodable(self._where_undecodable()) from None

    def _faults(self) -> _Faults:
        return _Faults(self)

    def _binary(self) -> Packed:
        return unpacked(self.path, self.name)

    def _text(self) -> io.TextIOWrapper:
        # newline="" leaves line ends inside quoted cells as they are.
        return io.TextIOWrapper(self._binary(), encoding=self.chosen, newline="")

    def _where_undecodable(self) -> str:
        shown = self.chosen.removesuffix("-sig")
        guess = guess_encoding(self._telling())
        others = [guess.encoding] if guess.encoding else [page for page, _ in guess.candidates]
        if guess.is_damaged_utf8 or self.chosen.startswith(others[0] if others else " "):
            cure = f"The rest of the file is {shown}, so it is damaged there: export it again, or mend that line."
        else:
            cure = f"Name its encoding, as in --encoding {others[0] if others else 'windows-1251'}."
        return f"{self.name} is not {shown}: {self._place(self.chosen)}. {cure}"

    def _place(self, encoding: str) -> str:
        """Where the first byte is that the encoding does not have; the file is read again, this time counting."""
        decoder = codecs.getincrementaldecoder(encoding)()
        line, fed = 1, 0
        with self._faults(), self._binary() as file:
            packed = "" if isinstance(file, io.BufferedReader) else " of the unpacked text"
            for block in [*iter(lambda: file.read(BLOCK), b""), b""]:
                fed += len(block)
                try:
                    line += decoder.decode(block, final=not block).count("\n")
                except UnicodeDecodeError as detected:
                    offset = fed - len(detected.object) + detected.start
                    line += detected.object[: detected.start].decode(encoding, "replace").count("\n")
                    byte = detected.object[detected.start]
                    return f"line {line:,}, byte {offset:,}{packed} (0x{byte:02x}, {detected.reason})"
        return "its end"

    def _telling(self) -> bytes:
        """Those of its lines that hold more than ASCII, up to a megabyte."""
        telling = bytearray()
        with self._faults(), self._binary() as file:
            for line in file:
                if not line.isascii():
                    telling += line
                if len(telling) > BLOCK:
                    break
        return bytes(telling)

    def _unpacked(self) -> int:
        count = 0
        try:
            with self._binary() as file:
                while block := file.read1(65_536):
                    count += len(block)
        except (EOFError, OSError, zlib.error, lzma.LZMAError):
            pass
        return count


class _Faults:
    """What goes wrong with a packed or missing file, as a sentence."""

    def __init__(self, file: CsvFile) -> None:
        self._file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, at: object) -> None:
        name = self._file.name
        if isinstance(problem, EOFError):
            raise Unreadable(
                f"{name} is cut off: its gz data ends before its end mark, after {self._file._unpacked():,} "
                "readable bytes of text. Copy or download it again."
            ) from None
        if isinstance(problem, zlib.error | gzip.BadGzipFile | lzma.LZMAError | zipfile.BadZipFile):
            raise Unreadable(f"{name} is damaged: {problem}. Copy or download it again.") from None
        if isinstance(problem, OSError):
            raise Unreadable(f"{name} cannot be read: {problem.strerror or problem}.") from None


class _Lines:
    """Physical lines, which can be given back. `taken` are those the CSV reader took for its current row."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._text)
        self.number += 1
        self.taken.append(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)


def _rows(text: io.TextIOWrapper, delimiter: str, has_separator_line: bool) -> Iterator[Row]:
    lines = _Lines(text)
    if has_separator_line:
        next(lines)
    taken = lines.taken
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        first = lines.number + 1
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # A quote that does not close, or one that closes early, as in "7" FRAME". Only the first line is doubted.
            broken = taken[0]
            lines.give_back(taken[1:])
            # A new reader: the old one has seen the end of the file, where the quote was never closed.
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield Row(first, first, _leniently(broken, delimiter), True)
            continue
        if cells and (cells[0].strip() or any(cell.strip() for cell in cells)):
            yield Row(first, lines.number, cells)


def _leniently(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.rstrip("\r\n") for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        return line.rstrip("\r\n").split(delimiter)
