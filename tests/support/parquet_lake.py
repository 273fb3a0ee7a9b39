"""A lake of Parquet folders, for tests of what is done with one: Delta needs jars and a slower start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from schemas.contract import Contract


class ParquetLake:
    """Each version of a table is a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stage: dict[str, DataFrame] = {}
        self.finished_batches: dict[str, int] = {}

    def version(self, name: str) -> int | None:
        versions = [int(f.name) for f in (self.folder / name).iterdir()] if (self.folder / name).exists() else []
        return max(versions, default=None)

    def read(self, spark: SparkSession, name: str, version: int) -> DataFrame:
        return spark.read.parquet(str(self.folder / name / str(version)))

    def finished(self, name: str) -> int | None:
        return self.finished_batches.get(name)

    def staged(self, _spark: SparkSession, source: Contract) -> DataFrame:
        return self.stage[source.name]

    def write(self, rows: DataFrame, name: str, *, where: str, note: str) -> int:
        assert note
        last = self.version(name)
        if where and last is not None:
            rows = self.read(rows.sparkSession, name, last).where(f"NOT ({where})").union(rows)
        version = 0 if last is None else last + 1
        rows.write.parquet(str(self.folder / name / str(version)))
        return version

    def tidy(self, spark: SparkSession, name: str, version: int) -> None:
        pass
