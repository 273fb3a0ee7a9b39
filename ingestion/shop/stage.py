"""A table's part of the stage area: numbered runs, of which those count that the state names.

    write the run's file ──► write the state ──► what the run leaves behind is tidied up

The state is one small object, so writing it is one step: a run that is killed before it never was, and the next one
takes its number and overwrites its file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from conf import Settings
from conf.file_lock import Taken, locked
from ingestion.core.errors import IngestError
from ingestion.shop.bucket import Bucket
from schemas.common.stage import run_file, state_name
from schemas.contract import Contract

ROWS_AT_ONCE = 20_000
ARROW = {
    "ID": pa.string(), "CODE": pa.string(), "TEXT": pa.string(), "DAY": pa.date32(),
    "INSTANT": pa.timestamp("us", tz="UTC"), "COUNT": pa.int64(), "MONEY": pa.decimal128(18, 4),
    "NUMBER": pa.float64(), "FLAG": pa.bool_(), "BYTES": pa.binary(),
}  # fmt: skip


@dataclass(frozen=True)
class StageState:
    """What is known from run to run.

    `run_no` is the last finished run, `full_run` the last that compared everything. `watermark` is the instant before
    which no change was missed, `taken_at` the last snapshot's; both are empty before the first run. `last_file` is the
    hash of the file that the last run staged.
    """

    run_no: int = 0
    full_run: int = 0
    watermark: str = ""
    taken_at: str = ""
    last_file: str = ""


def read_state(bucket: Bucket, table: str) -> StageState:
    """Before the first run: all zero."""
    body = bucket.read(state_name(table))
    return StageState(**orjson.loads(body)) if body else StageState()


def finish(bucket: Bucket, table: str, state: StageState) -> None:
    """From here on the run counts."""
    bucket.write(state_name(table), orjson.dumps(asdict(state), option=orjson.OPT_INDENT_2))


def stage_run(bucket: Bucket, contract: Contract, run_no: int, rows: Iterable[Mapping[str, Any]], folder: Path) -> int:
    """Put a run's rows into its file; none are no file. Returns how many."""
    file = folder / f"{contract.table}-{run_no}.parquet"
    count = write_parquet(file, schema(contract), rows)
    if count:
        bucket.upload(run_file(contract.table, run_no), file)
    else:
        # A run of this number that was cut off may have left one.
        bucket.remove(run_file(contract.table, run_no))
    file.unlink()
    return count


def schema(contract: Contract, names: Sequence[str] = ()) -> pa.Schema:
    """The contract's columns, or some of them, for Parquet."""
    chosen = [c for c in contract.columns if not names or c in names]
    return pa.schema([pa.field(c.name, ARROW[c.type.name], nullable=c.optional) for c in chosen])


def write_parquet(file: Path, schema: pa.Schema, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as they come, never holding more than some thousands. Returns how many."""
    count = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for chunk in chunks(rows, ROWS_AT_ONCE):
            writer.write_batch(pa.RecordBatch.from_pylist(chunk, schema=schema))
            count += len(chunk)
    return count


def chunks(rows: Iterable[Mapping[str, Any]], size: int) -> Iterator[list[Mapping[str, Any]]]:
    """Lists of at most `size` rows."""
    chunk: list[Mapping[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def content_hash(values: Iterable[Any]) -> str:
    """128 bits that are equal for equal values; amounts are equal however many zeros they end in."""
    return blake2b(orjson.dumps(list(values), default=_plain), digest_size=16).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:.4f}"
    raise TypeError(type(value).__name__)


def instant(text: str) -> datetime | None:
    """An instant of the state; None for an empty one."""
    return datetime.fromisoformat(text) if text else None


def utc(moment: datetime) -> str:
    """An instant for the state."""
    return moment.astimezone(UTC).isoformat()


@contextmanager
def alone(settings: Settings, table: str) -> Iterator[None]:
    """Raises IngestError where another process stages the same table: both would take one run's number."""
    try:
        with locked(settings.run / f"stage-{table}.lock", str(os.getpid())):
            yield
    except Taken as other:
        raise IngestError(
            f"shop.{table} is staged already, by process {other.holder}. Wait until it has ended."
        ) from None
