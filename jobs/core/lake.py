"""Where Delta tables lie, and which version of each stands, read without Spark from the table's log."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from conf import Settings
from conf.connect import delta_table
from jobs.core.errors import Failed
from schemas.common.stage import finished_files, prefix, state_name
from schemas.contract import Contract, find
from schemas.derive.delta import FINISHED
from schemas.derive.spark import ident, schema_ddl

if TYPE_CHECKING:
    from minio import Minio
    from pyspark.sql import DataFrame, SparkSession

VACUUM_EVERY = 14


class Lake(Protocol):
    """What a run needs of the lake."""

    def version(self, name: str) -> int | None:
        """The newest version of a table; None where there is no table."""
        ...

    def read(self, spark: SparkSession, name: str, version: int) -> DataFrame:
        """One version of a table, the same whenever it is read."""
        ...

    def finished(self, name: str) -> int | None:
        """The stream's last batch that is whole in a table; None where that was not noted."""
        ...

    def staged(self, spark: SparkSession, source: Contract) -> DataFrame:
        """What waits in the stage area for a table: the files of every finished run."""
        ...

    def write(self, rows: DataFrame, name: str, *, where: str, note: str) -> int:
        """Replace the table, or the rows for which `where` is true, in one commit. Returns the version this made."""
        ...

    def tidy(self, spark: SparkSession, name: str, version: int) -> None:
        """Now and then, drop what no reader can need any more."""
        ...


class DeltaTables(ABC):
    """A lake of Delta tables, wherever they lie."""

    @abstractmethod
    def path(self, name: str) -> str:
        """The table's path as Spark takes it."""

    @abstractmethod
    def version(self, name: str) -> int | None:
        """The newest version of a table; None where there is no table."""

    @abstractmethod
    def finished(self, name: str) -> int | None:
        """The stream's last batch that is whole in a table; None where that was not noted."""

    def read(self, spark: SparkSession, name: str, version: int) -> DataFrame:
        """One version of a table, the same whenever it is read."""
        return spark.read.format("delta").option("versionAsOf", version).load(self.path(name))

    @abstractmethod
    def stage_files(self, table: str) -> list[str]:
        """The Parquet files of a table's finished runs, as Spark takes them."""

    def staged(self, spark: SparkSession, source: Contract) -> DataFrame:
        """What waits in the stage area for a table: the files of every finished run."""
        files = self.stage_files(source.table)
        empty = spark.createDataFrame([], schema_ddl(source))
        return spark.read.schema(empty.schema).parquet(*files) if files else empty

    def write(self, rows: DataFrame, name: str, *, where: str, note: str) -> int:
        """Replace the table, or the rows for which `where` is true, in one commit. Returns the version this made.

        An overwrite is idempotent by nature: done again, it makes a version with equal rows. Delta's transaction ids
        (txnAppId, txnVersion) are for appends; here they could only make it skip a write in silence.
        """
        writer = rows.write.format("delta").mode("overwrite").option("userMetadata", note)
        if where:
            writer = writer.option("replaceWhere", where)
        writer.save(self.path(name))
        version = self.version(name)
        if version is None:
            raise Failed(f"{name} was written, and all the same its log has no commit.")
        return version

    def tidy(self, spark: SparkSession, name: str, version: int) -> None:
        """Every so many versions, drop files that no version of the last seven days needs."""
        if version and version % VACUUM_EVERY == 0:
            spark.sql(f"VACUUM delta.{ident(self.path(name))}")


@dataclass(frozen=True)
class S3Lake(DeltaTables):
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
        """The newest version of a table; None where there is no table."""
        table = delta_table(self.settings, self.path(name))
        return None if table is None else table.version()

    def finished(self, name: str) -> int | None:
        """The stream's last batch that is whole in a table; None where that was not noted."""
        bucket = self.settings.bucket
        result = self._json(bucket, self.settings.table_path(name).partition(f"://{bucket}/")[2] + f"/{FINISHED}")
        return None if result is None else int(result["batch"])

    def size(self, name: str) -> int:
        """Bytes of the table's data files, those of its last days' older versions included."""
        folder = self.settings.table_path(name).partition(f"://{self.settings.bucket}/")[2] + "/"
        result = self._s3.list_objects(self.settings.bucket, folder, recursive=True)
        return sum(file.size or 0 for file in result if (file.object_name or "").endswith(".parquet"))

    def stage_files(self, table: str) -> list[str]:
        """The Parquet files of a table's finished runs, as Spark takes them."""
        return [f"s3a://{self.settings.bucket}/{name}" for name, _ in self._finished(table, "run_no")]

    def tidy(self, spark: SparkSession, name: str, version: int) -> None:
        """As for any table; and what was loaded from the stage is removed when it is old.

        Runs since the last full check stay: by them the next one knows what is known.
        """
        super().tidy(spark, name, version)
        before = datetime.now(UTC) - timedelta(days=self.settings.stage_days)
        for source in (s for s in find(name).built_from if s.layer == "stage"):
            for staged, changed_at in self._finished(source.table, "full_run"):
                if changed_at < before:
                    self._s3.remove_object(self.settings.bucket, staged)

    def _finished(self, table: str, last: str) -> list[tuple[str, datetime]]:
        """The files of finished runs up to the one that the state names so, and when each was written."""
        bucket = self.settings.bucket
        state = self._json(bucket, state_name(table))
        listed = self._s3.list_objects(bucket, prefix(table), recursive=True) if state else ()
        result = {o.object_name or "": o.last_modified or datetime.now(UTC) for o in listed}
        return [(name, result[name]) for name in finished_files(table, result, int(state[last]) if state else 0)]

    def _json(self, bucket: str, name: str) -> dict[str, Any] | None:
        from minio.error import S3Error

        try:
            answer = self._s3.get_object(bucket, name)
        except S3Error as error:
            if error.code == "NoSuchKey":
                return None
            raise
        try:
            read: dict[str, Any] = json.loads(answer.read())
            return read
        finally:
            answer.close()
            answer.release_conn()
