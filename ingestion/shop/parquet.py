"""Products in Parquet files, as pandas, polars, Spark and others write them without being asked for anything.

What can be read without loss is read: a number that is an id is its digits, 1 and 0 are flags, a 32-bit fraction is the
shortest decimal that names it, bytes are UTF-8, a time without a zone is of the shop's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingestion.files.instants import ISO, moment
from ingestion.shop.file_faults import FileRefused
from schemas.contract import contract
from schemas.shop.stage import ProductRow

ROWS_AT_ONCE = 5_000
MOST_EXPANSION = 20
"""A Parquet file may say of itself that it unpacks to so many times the largest file that is read."""
MOST_TEXT_BYTES = 16_384
"""Several times the longest text that a contract takes."""
EXACT = 2**53
INDEX = re.compile(r"__index_level_\d+__")
"""What pandas calls the numbers of its rows."""
TYPES = {column.name: column.type.name for column in contract(ProductRow).columns}
Plain = Callable[[Any], Any]


def parquet_rows(file: Path, most_bytes: int, zone: str) -> Iterator[dict[str, Any]]:
    """The rows, some thousands at a time. Raises Unfit where the file is broken, also after some rows."""
    try:
        with pq.ParquetFile(file) as parquet_file:
            metadata, schema = parquet_file.metadata, parquet_file.schema_arrow
            # Spark and Hive write an instant so, in UTC; the file has no word for the zone.
            stored = map(parquet_file.schema.column, range(len(parquet_file.schema)))
            instants = {column.name for column in stored if column.physical_type == "INT96"}
        groups = (metadata.row_group(i) for i in range(metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > MOST_EXPANSION * most_bytes:
            raise FileRefused("file.size", f"the file unpacks to more than {MOST_EXPANSION * most_bytes:,} bytes")
        names = [name for name in schema.names if not INDEX.fullmatch(name)]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise FileRefused("column.twice", f"the column {twice[0]} stands twice")
        _refuse_nested(schema)
        plain = {name: _plain(name, schema.field(name).type, "UTC" if name in instants else zone) for name in names}
        # What repeats stays one text as long as its length is not known: kilobytes may stand for gigabytes.
        texts = [field.name for field in schema if _is_text(field.type)]
        with pq.ParquetFile(file, read_dictionary=texts, buffer_size=1 << 20) as read:
            before = 0
            for batch in read.iter_batches(ROWS_AT_ONCE, columns=names):
                _refuse_long_texts(batch, before)
                before += batch.num_rows
                for row in batch.to_pylist():
                    yield {name: plain[name](value) for name, value in row.items()}
    except (pa.ArrowException, OSError, ValueError, OverflowError) as problem:
        if isinstance(problem, MemoryError):
            raise
        raise FileRefused("file.parquet", f"the file is no whole Parquet file: {_first_line(problem)}") from None


def _refuse_nested(schema: pa.Schema) -> None:
    for field in schema:
        if field.name in TYPES and pa.types.is_nested(field.type):
            raise FileRefused(
                "column.type",
                f"the column {field.name} holds {str(field.type)[:80]}: write one plain value a row, what is within it "
                "as columns of their own",
            )


def _is_text(kind: pa.DataType) -> bool:
    is_one = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(is_one) or bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _refuse_long_texts(batch: pa.RecordBatch, before: int) -> None:
    """Raises Unfit for a text that no contract would take; `before` is how many rows came before the batch."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if not pa.types.is_dictionary(column.type) or not _is_text(column.type.value_type):
            continue
        too_long = pc.fill_null(pc.greater(pc.binary_length(column.dictionary), MOST_TEXT_BYTES), fill_value=False)
        if pc.any(too_long).as_py():
            position = pc.index(too_long.take(column.indices), value=True).as_py()
            if position >= 0:
                raise FileRefused(
                    "file.size",
                    f"row {before + position + 1:,}, column {name[:80]}: a text has more than "
                    f"{MOST_TEXT_BYTES:,} bytes",
                )


def _plain(name: str, kind: pa.DataType, zone: str) -> Plain:
    """What makes a value of a column plain; a value for which there is nothing to be done stays as it is."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    wanted = TYPES.get(name, "")
    by_type = {"FLAG": _flag, "MONEY": _single if pa.types.is_float32(kind) else _fraction, "INSTANT": _instant(zone)}
    chosen = by_type.get(wanted, _digits)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _decoded(name, chosen)
    return chosen


def _decoded(name: str, then: Plain) -> Plain:
    def text(value: Any) -> Any:
        if value is None:
            return None
        try:
            return then(value.decode("utf-8"))
        except UnicodeDecodeError:
            raise FileRefused(
                "file.utf8", f"the column {name} holds bytes that are no UTF-8 ({value[:20]!r}): write it as text"
            ) from None

    return text


def _is_missing(value: Any) -> bool:
    """Not a number is how pandas writes what is missing in a column of fractions."""
    return value is None or (isinstance(value, float) and value != value)


def _digits(value: Any) -> Any:
    """An id, code or text: a whole number is its digits, also where missing values made fractions of them."""
    if _is_missing(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return f"{value:.0f}"
    return value


def _flag(value: Any) -> Any:
    if _is_missing(value):
        return None
    return bool(value) if not isinstance(value, str) and value in (0, 1) else value


def _single(value: Any) -> Any:
    """A fraction of 32 bits is the shortest decimal that names it: 19.99, and not 19.989999771118164."""
    if _is_missing(value):
        return None
    return np.format_float_positional(np.float32(value), trim="-") if np.isfinite(value) else value


def _fraction(value: Any) -> Any:
    if _is_missing(value):
        return None
    return np.format_float_positional(value, trim="-") if isinstance(value, float) and np.isfinite(value) else value


def _instant(zone: str) -> Plain:
    place = ZoneInfo(zone)

    def instant(value: Any) -> Any:
        if _is_missing(value):
            return None
        if isinstance(value, str):
            return moment(value, (ISO,), zone) or value
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=place)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=place).astimezone(UTC)
        return value

    return instant


def _first_line(problem: BaseException) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:300]
