"""Files of JSON as UTF-8, block by block, whatever Unicode they are written in, plain or gz.

What is gz and which Unicode it is, is seen from a file's first bytes, never from its name.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.core.errors import Unreadable
from ingestion.core.publish import Say

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1 << 16
ENDINGS = {".json", ".jsonl", ".ndjson", ".gz"}
GZIP = b"\x1f\x8b"
OTHERS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook: unpack it, and give the JSON files in it",
    b"\xfd7zXZ\x00": "compressed with xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it first",
    b"BZh": "compressed with bzip2: unpack it first",
    b"PAR1": "a Parquet file; OCDS was expected as JSON",
}
HTML = "a page of HTML, which sites give instead of data when something is wrong there: download it again"
PAGES = {
    "<!doctype html": HTML,
    "<html": HTML,
    "<?xml": "an XML file; OCDS was expected as JSON",
}
FIRST = 64
"""Bytes by which a file is known."""
SHOWN_ASIDE = 5


def find_files(path: Path, say: Say) -> list[Path]:
    """The file, or those of a folder and the folders in it, by name. Raises Unreadable where there is none.

    Of a folder only files are taken whose names end as JSON's do; `say` hears of the others.
    """
    if not path.exists():
        raise Unreadable(f"There is no file or folder {path}.")
    if not path.is_dir():
        return [path]
    inside = sorted(p for p in path.rglob("*") if p.is_file() and "/." not in f"/{p.relative_to(path).as_posix()}")
    taken = [p for p in inside if p.suffix.lower() in ENDINGS]
    aside = [p.relative_to(path).as_posix() for p in inside if p.suffix.lower() not in ENDINGS]
    if not taken:
        what = f"{len(aside):,} files, and none of OCDS" if aside else "no files"
        raise Unreadable(
            f"The folder {path} has {what}: names that end in .json, .jsonl, .ndjson or .gz were expected."
        )
    if aside:
        more = f" and {len(aside) - SHOWN_ASIDE:,} more" if len(aside) > SHOWN_ASIDE else ""
        say(f"Left aside, by their names no JSON: {', '.join(aside[:SHOWN_ASIDE])}{more}.")
    return taken


class JsonFile:
    """A file whose first bytes were looked at; making it raises Unreadable where they show that it is no JSON."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = os.fsencode(path.name).decode("utf-8", "replace")
        self.undecoded = ""
        start = self._guarded(lambda: self._first(path.open("rb")))
        if not start:
            raise Unreadable(f"{self.name} is empty; OCDS as JSON was expected.")
        for magic, what in OTHERS.items():
            if start.startswith(magic):
                raise Unreadable(f"{self.name} is {what}.")
        self._is_packed = start.startswith(GZIP)
        if self._is_packed:
            start = self._guarded(lambda: self._first(self._binary()))
        self.encoding = json.detect_encoding(start)
        text = start.decode(self.encoding, "ignore")
        for tag, what in PAGES.items():
            if text.lstrip().lower().startswith(tag):
                raise Unreadable(f"{self.name} is {what}.")
        if not text:
            raise Unreadable(f"{self.name} is empty; OCDS as JSON was expected.")

    def open(self) -> io.BufferedReader:
        """The text as UTF-8. Reading raises Unreadable with the place of what is no text, or where gz data end.

        What should be UTF-8 and is not passes as it is, for no more than a line may be broken; `undecoded` then is the
        sentence that says where.
        """
        return io.BufferedReader(_Unicode(self), BLOCK)

    def place(self, line: int, byte: int) -> str:
        """A place of the UTF-8 that `open` gives, in words: lines count from 1, bytes from 0."""
        if self.encoding.startswith("utf-8"):
            byte += len(codecs.BOM_UTF8) if self.encoding == "utf-8-sig" else 0
            of = " of the unpacked text" if self._is_packed else ""
        else:
            of = " of the text as UTF-8"
        return f"line {line:,}, byte {byte:,}{of}"

    def _binary(self) -> io.BufferedIOBase:
        return gzip.open(self._path, "rb") if self._is_packed else self._path.open("rb")

    def _first(self, file: io.BufferedIOBase) -> bytes:
        with file:
            return file.read(FIRST)

    def _guarded(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except EOFError:
            raise Unreadable(
                f"{self.name} is cut off: its gz data end before their end mark. Copy or download it again."
            ) from None
        except (zlib.error, gzip.BadGzipFile) as problem:
            raise Unreadable(f"{self.name} is damaged: {problem}. Copy or download it again.") from None
        except OSError as problem:
            raise Unreadable(f"{self.name} cannot be read: {problem.strerror or problem}.") from None


class _Unicode(io.RawIOBase):
    """A file's bytes as UTF-8."""

    def __init__(self, file: JsonFile) -> None:
        self._file, self._binary = file, file._binary()
        self._decoder = codecs.getincrementaldecoder(file.encoding)()
        self._rest = b""
        self._taken, self._line, self._is_over, self._is_raw = 0, 1, False, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer)
        while not self._rest and not self._is_over:
            self._rest = self._next()
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        self._binary.close()
        super().close()

    def _next(self) -> bytes:
        block = self._file._guarded(lambda: self._binary.read(BLOCK))
        self._taken += len(block)
        self._is_over = not block
        if self._is_raw:
            return block
        try:
            text = self._decoder.decode(block, final=self._is_over)
        except UnicodeDecodeError as problem:
            if not self._file.encoding.startswith("utf-8"):
                raise Unreadable(self._where(problem)) from None
            self._file.undecoded, self._is_raw = self._file.undecoded or self._where(problem), True
            # With what the decoder had kept of the block before.
            return problem.object.removeprefix(codecs.BOM_UTF8 if self._taken == len(block) else b"")
        self._line += text.count("\n")
        return text.encode()

    def _where(self, problem: UnicodeDecodeError) -> str:
        before = problem.object[: problem.start].decode(self._file.encoding, "ignore").count("\n")
        offset = self._taken - len(problem.object) + problem.start
        packed = " of the unpacked bytes" if self._file._is_packed else ""
        byte = problem.object[problem.start]
        return (
            f"{self._file.name} is not all {self._file.encoding.upper()}: line {self._line + before:,}, byte "
            f"{offset:,}{packed} is 0x{byte:02x} ({problem.reason}). JSON is written in UTF-8 or UTF-16: convert the "
            "file from the encoding that it has."
        )
