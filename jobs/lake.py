"""Where Delta tables lie, and which version of each stands, found without Spark by looking into the table's log."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from conf import Settings

if TYPE_CHECKING:
    from minio import Minio

_COMMIT = re.compile(r"/(\d{20})\.json$")


class Lake(Protocol):
    """What the runner needs to know of the place of the tables."""

    def path(self, name: str) -> str:
        """The table's path as Spark takes it."""
        ...

    def version(self, name: str) -> int | None:
        """The newest version of a Delta table; None where there is no table."""
        ...


@dataclass(frozen=True)
class S3Lake:
    """The lake on S3."""

    settings: Settings

    @cached_property
    def _s3(self) -> Minio:
        from conf.connect import s3

        return s3(self.settings)

    def path(self, name: str) -> str:
        return self.settings.table_path(name)

    def url(self, name: str) -> str:
        """The table's place as ClickHouse reads it."""
        return self.settings.table_url(name)

    def version(self, name: str) -> int | None:
        """Reads the log's listing from its last checkpoint on, so a table with a long history costs no more."""
        bucket = self.settings.bucket
        folder = self.settings.table_path(name).partition(f"://{bucket}/")[2] + "/_delta_log/"
        checkpoint = self._last_checkpoint(bucket, folder)
        since = f"{folder}{checkpoint:020d}" if checkpoint is not None else None
        names = (found.object_name or "" for found in self._s3.list_objects(bucket, folder, start_after=since))
        versions = [int(match[1]) for match in map(_COMMIT.search, names) if match]
        return max(versions, default=checkpoint)

    def _last_checkpoint(self, bucket: str, folder: str) -> int | None:
        from minio.error import S3Error

        try:
            answer = self._s3.get_object(bucket, folder + "_last_checkpoint")
        except S3Error as error:
            if error.code == "NoSuchKey":
                return None
            raise
        try:
            return int(json.loads(answer.read())["version"])
        finally:
            answer.close()
            answer.release_conn()
