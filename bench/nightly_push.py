"""The push alone: how fast ClickHouse takes over a gold table that lies in the lake."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from bench.nightly_spark import FolderLake
from conf import Settings
from conf.connect import clickhouse, s3
from jobs.core.errors import Failed
from jobs.core.lake import S3Lake
from jobs.core.needed_parts import need_parts
from jobs.core.push import delta, drop_leftovers, facts_of, pinned, push
from schemas.contract import Contract
from schemas.derive.live_tables import apply_clickhouse


@dataclass(frozen=True)
class Push:
    """One push: load, comparison and swap."""

    table: str
    rows: int
    seconds: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def measured(settings: Settings, source: FolderLake, table: Contract) -> Push | None:
    """Copy a table from local disk into the stack's lake and push it; None where MinIO or ClickHouse does not run."""
    try:
        need_parts(settings)
    except Failed:
        return None
    lake, client = S3Lake(settings), clickhouse(settings)
    version = _copied(settings, source, table)
    apply_clickhouse(client, [table])
    drop_leftovers(client)
    url = lake.url(table.name)
    facts = facts_of(client, table, delta(url), pinned(version))
    began = time.monotonic()
    push(client, table, url, version, facts, f"bench_{secrets.token_hex(3)}")
    seconds = time.monotonic() - began
    client.close()
    return Push(table.name, facts.rows, seconds)


def _copied(settings: Settings, lake: FolderLake, table: Contract) -> int:
    """A Delta table is its files: paths in its log are relative. What was there before is removed."""
    client = s3(settings)
    if not client.bucket_exists(settings.bucket):
        client.make_bucket(settings.bucket)
    folder = settings.table_path(table.name).partition(f"://{settings.bucket}/")[2]
    for old in client.list_objects(settings.bucket, folder + "/", recursive=True):
        client.remove_object(settings.bucket, old.object_name or "")
    root = lake.folder / table.name.replace(".", "/")
    for file in sorted(root.rglob("*")):
        if file.is_file() and not file.name.endswith(".crc"):
            client.fput_object(settings.bucket, f"{folder}/{file.relative_to(root).as_posix()}", str(file))
    version = lake.version(table.name)
    assert version is not None
    return version
