"""Files of products, read row by row: Parquet, CSV, JSON (one list) and JSON Lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import ijson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROWS_AT_ONCE = 5_000
MOST_EXPANSION = 20
"""A Parquet file may say of itself that it unpacks to so many times the largest file that is read."""
MOST_TEXT_BYTES = 16_384
"""Several times the longest text that a contract takes."""
MOST_OBJECT_BYTES = 4 << 20
ENDINGS = (".parquet", ".csv", ".json", ".jsonl", ".ndjson")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()+-]{0,149}")
BOM, SEARCHED = b"\xef\xbb\xbf", 1_000
Row = Mapping[str, Any]


class Unfit(Exception):
    """The file as a whole cannot be read. `rule` names what is broken, the message says it."""

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(sentence)
        self.rule = rule


def check_name(name: str) -> None:
    """Raises Unfit for a name that is more than a plain name, or whose ending is not known."""
    if not NAME.fullmatch(name) or ".." in name:
        raise Unfit(
            "file.name",
            f"the name must be at most 150 letters, digits, spaces and ._()+- and name no folder; found {name[:200]!r}",
        )
    if not name.lower().endswith(ENDINGS):
        raise Unfit("file.ending", f"the name must end in {', '.join(ENDINGS)}; found {name!r}")


def is_tabular(name: str) -> bool:
    """Whether all rows of the file have the same columns."""
    return name.lower().endswith((".parquet", ".csv"))


def rows(file: Path, name: str, most_bytes: int) -> Iterator[Row]:
    """The file's rows, some thousands at a time. Raises Unfit where it is broken, also after some rows."""
    small = name.lower()
    if small.endswith(".parquet"):
        return _parquet(file, most_bytes)
    return _csv(file) if small.endswith(".csv") else _json(file, is_lines=not small.endswith(".json"))


def _parquet(file: Path, most_bytes: int) -> Iterator[Row]:
    try:
        with pq.ParquetFile(file) as asked:
            metadata, names = asked.metadata, asked.schema_arrow.names
            texts = [c.name for c in asked.schema_arrow if pa.types.is_string(c.type) or pa.types.is_binary(c.type)]
        groups = (metadata.row_group(i) for i in range(metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > MOST_EXPANSION * most_bytes:
            raise Unfit("file.size", f"the file unpacks to more than {MOST_EXPANSION * most_bytes:,} bytes")
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise Unfit("column.twice", f"the column {twice[0]} stands twice")
        # What repeats stays one text as long as its length is not known: a column of kilobytes may stand for gigabytes.
        with pq.ParquetFile(file, read_dictionary=texts, buffer_size=1 << 20) as read:
            before = 0
            for batch in read.iter_batches(ROWS_AT_ONCE):
                _refuse_long_texts(batch, before)
                before += batch.num_rows
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError) as problem:
        if isinstance(problem, MemoryError):
            raise
        raise Unfit("file.parquet", f"the file is no whole Parquet file: {_first_line(problem)}") from None


def _refuse_long_texts(batch: pa.RecordBatch, before: int) -> None:
    """Raises Unfit for a text that no contract would take; `before` is how many rows came before the batch."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if not pa.types.is_dictionary(column.type):
            continue
        too_long = pc.fill_null(pc.greater(pc.binary_length(column.dictionary), MOST_TEXT_BYTES), fill_value=False)
        if pc.any(too_long).as_py():
            found = pc.index(too_long.take(column.indices), value=True).as_py()
            if found >= 0:
                raise Unfit(
                    "file.size",
                    f"row {before + found + 1:,}, column {name[:80]}: a text has more than {MOST_TEXT_BYTES:,} bytes",
                )


def _csv(file: Path) -> Iterator[Row]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            lines = csv.reader(text, strict=True)
            header = next(lines, None)
            if not header:
                raise Unfit("file.empty", "the file is empty; a line with the columns' names was expected")
            twice = sorted({n for n in header if header.count(n) > 1})
            if twice:
                raise Unfit("column.twice", f"the column {twice[0]} stands twice")
            for cells in lines:
                if len(cells) != len(header):
                    raise Unfit(
                        "file.csv",
                        f"line {lines.line_num} has {len(cells)} cells, the header {len(header)}: is the end cut off?",
                    )
                yield {name: cell or None for name, cell in zip(header, cells, strict=True)}
    except UnicodeDecodeError as problem:
        raise Unfit("file.utf8", f"the file is not UTF-8: {problem.reason} at byte {problem.start:,}") from None
    except csv.Error as problem:
        raise Unfit("file.csv", f"the file is no CSV: {problem}") from None


def _json(file: Path, *, is_lines: bool) -> Iterator[Row]:
    what = "JSON Lines" if is_lines else "a JSON list"
    try:
        with file.open("rb") as body:
            if not is_lines and (begins := body.read(SEARCHED).removeprefix(BOM).lstrip()[:1]) not in (b"[", b""):
                raise Unfit("file.json", f"the file is not {what}: it begins with {begins.decode(errors='replace')!r}")
            body.seek(0)
            metered = _Metered(body)
            values = ijson.items(metered, "" if is_lines else "item", multiple_values=is_lines)
            for row in _objects(values, what):
                metered.since = 0
                yield row
    except (ijson.JSONError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        raise Unfit("file.json", f"the file is not {what}: {_first_line(problem)}") from None


@dataclass
class _Metered:
    """A file that ends badly where one object goes on and on: the parser holds it whole, and it is not over."""

    body: BinaryIO
    since: int = 0

    def read(self, size: int) -> bytes:
        self.since += size
        if self.since > MOST_OBJECT_BYTES:
            raise Unfit("file.size", f"an object has more than {MOST_OBJECT_BYTES:,} bytes")
        return self.body.read(size)


def _objects(values: Iterable[Any], what: str) -> Iterator[Row]:
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict):
            raise Unfit("file.json", f"the file is not {what} of objects: element {number} is {str(value)[:80]!r}")
        yield value


def _first_line(problem: BaseException) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:300]
