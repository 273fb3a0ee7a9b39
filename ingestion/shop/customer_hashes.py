"""What the stage knows of all customers: their keys and the hashes of their content, from full check to full check."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.shop.bucket import Bucket
from ingestion.shop.extract import KEY, STAGED, Known, overlaid
from ingestion.shop.stage import ROWS_AT_ONCE, StageState, schema
from schemas.common.stage import finished_files, prefix, run_of

HELD = (KEY, "content_hash")


def file_name(run_no: int) -> str:
    """What a full check knew at its end."""
    return f"{prefix(STAGED.table)}known/run={run_no:08d}.parquet"


class KnownFile:
    """Written while the check goes on, some thousands of customers at a time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._schema = schema(STAGED, HELD)
        self._waiting: list[Known] = []

    def __enter__(self) -> Self:
        self._writer = pq.ParquetWriter(self.file, self._schema, compression="zstd")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._write()
        self._writer.close()

    def add(self, known: Known) -> None:
        """The next customer, in the order of keys."""
        self._waiting.append(known)
        if len(self._waiting) == ROWS_AT_ONCE:
            self._write()

    def _write(self) -> None:
        rows = [dict(zip(HELD, known, strict=True)) for known in self._waiting]
        self._writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=self._schema))
        self._waiting.clear()


def known(bucket: Bucket, state: StageState, folder: Path) -> Iterator[Known]:
    """What is known now, in the order of keys: the last full check, and what runs have found since."""
    if not state.full_run:
        return
    since: dict[str, str] = {}
    names = [stored.name for stored in bucket.list_objects(prefix(STAGED.table))]
    for name in finished_files(STAGED.table, names, state.run_no):
        if run_of(STAGED.table, name) > state.full_run:
            for batch in _batches(bucket, name, folder, [*HELD, "is_deleted"]):
                since |= {r[KEY]: "" if r["is_deleted"] else r["content_hash"] for r in batch.to_pylist()}
    base = (tuple(r.values()) for b in _batches(bucket, file_name(state.full_run), folder, HELD) for r in b.to_pylist())
    yield from overlaid(base, since)


def forget_older(bucket: Bucket, state: StageState) -> None:
    """Only the last full check's file is of use."""
    for stored in bucket.list_objects(f"{prefix(STAGED.table)}known/"):
        if stored.name != file_name(state.full_run):
            bucket.remove(stored.name)


def _batches(bucket: Bucket, name: str, folder: Path, columns: list[str] | tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    file = folder / "known.parquet"
    bucket.download(name, file)
    with pq.ParquetFile(file) as read:
        yield from read.iter_batches(ROWS_AT_ONCE, columns=list(columns))
    file.unlink()
