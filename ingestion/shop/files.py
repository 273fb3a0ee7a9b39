"""Files of products, read row by row: Parquet, CSV, workbooks, JSON (one list) and JSON Lines, packed or not."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import ijson

from ingestion.core.errors import Unreadable
from ingestion.files.packed import unpacked
from ingestion.shop.file_faults import FileRefused
from ingestion.shop.sheets import sheet_rows

MOST_OBJECT_BYTES = 4 << 20
ENDINGS = (".parquet", ".csv", ".json", ".jsonl", ".ndjson", ".tsv", ".txt", ".xlsx", ".xls", ".ods")
PACKED = (".gz", ".zip", ".bz2", ".xz")
JSON_LINES = (".jsonl", ".ndjson")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()+-]{0,149}")
BOM, SEARCHED = b"\xef\xbb\xbf", 1_000
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
Row = Mapping[str, Any]


def _kind(name: str) -> str:
    """The ending that says what is in the file: of a packed one that before it; empty where none is known."""
    small = name.lower()
    for packed in PACKED:
        if small.endswith(packed):
            small = small.removesuffix(packed)
            # A packed Parquet file would have to be unpacked whole: it is compressed as it is.
            return next((ending for ending in ENDINGS[1:] if small.endswith(ending)), "")
    return next((ending for ending in ENDINGS if small.endswith(ending)), "")


def check_name(name: str) -> None:
    """Raises Unfit for a name that is more than a plain name, or whose ending is not known."""
    if not NAME.fullmatch(name) or ".." in name:
        raise FileRefused(
            "file.name",
            f"the name must be at most 150 letters, digits, spaces and ._()+- and name no folder; found {name[:200]!r}",
        )
    if not _kind(name):
        raise FileRefused(
            "file.ending",
            f"the name must end in {', '.join(ENDINGS)}, and all but Parquet may be packed as .gz; found {name!r}",
        )


def is_tabular(name: str) -> bool:
    """Whether all rows of the file have the same columns."""
    return not _kind(name).startswith(".json") and _kind(name) != ".ndjson"


def rows(file: Path, name: str, most_bytes: int, zone: str = "UTC") -> Iterator[Row]:
    """The file's rows, some thousands at a time. Raises Unfit where it is broken, also after some rows.

    `zone` is that of times that name none.
    """
    kind = _kind(name)
    if kind == ".parquet":
        # Here, since only files of Parquet need it.
        from ingestion.shop.parquet import parquet_rows

        return parquet_rows(file, most_bytes, zone)
    if is_tabular(name):
        return sheet_rows(file, zone)
    return _json(file, is_lines=kind in JSON_LINES)


class _Bytes(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def _json(file: Path, *, is_lines: bool) -> Iterator[Row]:
    what = "JSON Lines" if is_lines else "a JSON list"
    try:
        with unpacked(file, "the file") as body:
            begins = body.read(SEARCHED)
            if not is_lines and not begins.startswith(UTF_16):
                first = begins.removeprefix(BOM).lstrip()[:1]
                if first not in (b"[", b""):
                    shown = first.decode(errors="replace")
                    raise FileRefused("file.json", f"the file is not {what}: it begins with {shown!r}")
            body.seek(0)
            # PowerShell and Excel's scripts write UTF-16.
            read: _Bytes = codecs.EncodedFile(body, "utf-8", "utf-16") if begins.startswith(UTF_16) else body
            metered = _Metered(read)
            twice: list[str] = []
            values = ijson.items(
                metered, "" if is_lines else "item", multiple_values=is_lines, map_type=lambda: _Once(twice)
            )
            for number, row in enumerate(_objects(values, what), 1):
                metered.since = 0
                if twice:
                    raise FileRefused("file.json", f"object {number:,} has the field {twice[0][:80]!r} twice")
                yield row
    except Unreadable as problem:
        raise FileRefused("file.json", str(problem)) from None
    except EOFError:
        raise FileRefused("file.json", "the file is cut off: its packed data ends before its end mark") from None
    except (ijson.JSONError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        raise FileRefused("file.json", f"the file is not {what}: {_first_line(problem)}") from None


class _Once(dict[str, Any]):
    """An object of JSON, in which each name should stand once: of two values nobody knows which is meant.

    The parser loses what is raised here, so a name that stands twice is written down.
    """

    def __init__(self, twice: list[str]) -> None:
        super().__init__()
        self._twice = twice

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self:
            self._twice.append(name)
        super().__setitem__(name, value)


@dataclass
class _Metered:
    """A file that ends badly where one object goes on and on: the parser holds it whole, and it is not over."""

    body: _Bytes
    since: int = 0

    def read(self, size: int) -> bytes:
        self.since += size
        if self.since > MOST_OBJECT_BYTES:
            raise FileRefused("file.size", f"an object has more than {MOST_OBJECT_BYTES:,} bytes")
        return self.body.read(size)


def _objects(values: Iterable[Any], what: str) -> Iterator[Row]:
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict):
            raise FileRefused(
                "file.json", f"the file is not {what} of objects: element {number} is {str(value)[:80]!r}"
            )
        yield value


def _first_line(problem: BaseException) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:300]
