"""CSV files row by row, plain or gz, with the line numbers of each row.

Nothing is swallowed: where quotes are broken, the row that breaks them is given by itself and the rows after it are
read anew. A file that cannot be read to its end is refused with the place where it stops.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ingestion.errors import Unreadable

GZIP = b"\x1f\x8b"
OTHERS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook: unpack it, or save the sheet as CSV",
    b"\xfd7zXZ\x00": "compressed with xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it first",
    b"BZh": "compressed with bzip2: unpack it first",
    b"PAR1": "a Parquet file, not CSV",
}
BLOCK = 1 << 20
# A cell may be as long as a whole event: it is the stream that refuses what is too long.
csv.field_size_limit(1_000_000)


class Row(NamedTuple):
    """`first` and `last` are the physical lines it stands on, the header being line 1. `is_broken`: its quotes are."""

    first: int
    last: int
    cells: list[str]
    is_broken: bool = False


@dataclass(frozen=True)
class CsvFile:
    """A file whose beginning has been looked at. Reading raises Unreadable with the place, in `rows` too."""

    path: Path
    encoding: str = "utf-8"
    delimiter: str = ","

    @property
    def name(self) -> str:
        """The file's name for messages and events; bytes that are no text are replaced."""
        return os.fsencode(self.path.name).decode("utf-8", "replace")

    def fingerprint(self) -> tuple[int, int]:
        """Changes when the file does."""
        facts = self.path.stat()
        return facts.st_size, facts.st_mtime_ns

    def rows(self) -> Iterator[Row]:
        """The header first, then every row; lines without any text are passed over."""
        try:
            with self._text() as text:
                yield from _rows(text, self.delimiter)
        except UnicodeDecodeError as problem:
            raise Unreadable(self._where_undecodable(problem)) from None
        except EOFError:
            raise Unreadable(
                f"{self.name} is cut off: its gz data ends before its end mark, after {self._unpacked():,} readable "
                "bytes of text. Copy or download it again."
            ) from None
        except (zlib.error, gzip.BadGzipFile) as problem:
            raise Unreadable(f"{self.name} is damaged: {problem}. Copy or download it again.") from None
        except OSError as problem:
            raise Unreadable(f"{self.name} cannot be read: {problem.strerror or problem}.") from None

    def _binary(self) -> gzip.GzipFile | io.BufferedReader:
        if not self.path.exists():
            raise Unreadable(f"There is no file {self.path}.")
        if self.path.is_dir():
            raise Unreadable(f"{self.path} is a folder; a CSV file was expected.")
        with self.path.open("rb") as file:
            start = file.read(8)
        if not start:
            raise Unreadable(f"{self.name} is empty.")
        for magic, what in OTHERS.items():
            if start.startswith(magic):
                raise Unreadable(f"{self.name} is {what}.")
        return gzip.open(self.path, "rb") if start.startswith(GZIP) else self.path.open("rb")

    def _text(self) -> io.TextIOWrapper:
        # newline="" leaves line ends inside quoted cells as they are. utf-8-sig takes a byte order mark, or none.
        chosen = "utf-8-sig" if codecs.lookup(self.encoding).name == "utf-8" else self.encoding
        return io.TextIOWrapper(self._binary(), encoding=chosen, newline="")

    def _where_undecodable(self, problem: UnicodeDecodeError) -> str:
        """Read again, this time counting: the error itself knows only its place in a block."""
        decoder = codecs.getincrementaldecoder(self.encoding)()
        line, fed = 1, 0
        packed = ""
        with self._binary() as file:
            if isinstance(file, gzip.GzipFile):
                packed = " of the unpacked text"
            for block in [*iter(lambda: file.read(BLOCK), b""), b""]:
                fed += len(block)
                try:
                    line += decoder.decode(block, final=not block).count("\n")
                except UnicodeDecodeError as found:
                    problem = found
                    break
        offset = fed - len(problem.object) + problem.start
        line += problem.object[: problem.start].decode(self.encoding, "replace").count("\n")
        byte = problem.object[problem.start]
        return (
            f"{self.name} is not {self.encoding}: line {line:,}, byte {offset:,}{packed} (0x{byte:02x}, "
            f"{problem.reason}). Name its encoding, as in --encoding windows-1251."
        )

    def _unpacked(self) -> int:
        count = 0
        try:
            with self._binary() as file:
                while block := file.read1(65_536):
                    count += len(block)
        except EOFError:
            pass
        return count


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


def _rows(text: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    lines = _Lines(text)
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
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield Row(first, lines.number, cells)


def _leniently(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.rstrip("\r\n") for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        return line.rstrip("\r\n").split(delimiter)
