"""Merges small files of the lake and deletes files that no reader needs, on a schedule.

It runs in the streaming process, since that process is the tables' one writer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from conf import Settings
from schemas.contract import Contract
from streaming.core.queries import sentence

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger("sauda.stream")
VACUUM_EVERY = 24


class Compactor(threading.Thread):
    """OPTIMIZE every `compact_minutes`; VACUUM (files unused for seven days) each 24th time."""

    def __init__(self, spark: SparkSession, settings: Settings, tables: Sequence[Contract]) -> None:
        super().__init__(name="compaction", daemon=True)
        self.spark, self.settings, self.tables = spark, settings, tables
        self._stopping = threading.Event()

    def run(self) -> None:
        turn = 0
        while not self._stopping.wait(self.settings.compact_minutes * 60):
            turn += 1
            self.spark.sparkContext.setLocalProperty("spark.scheduler.pool", "lake")
            for table in self.tables:
                try:
                    compact(self.spark, self.settings.table_path(table.name))
                    if turn % VACUUM_EVERY == 0:
                        self.spark.sql(f"VACUUM delta.`{self.settings.table_path(table.name)}`")
                except Exception as error:
                    log.error("%s was not compacted: %s; it is tried again", table.name, sentence(error))

    def stop(self) -> None:
        self._stopping.set()


def compact(spark: SparkSession, path: str) -> tuple[int, int]:
    """Merge a table's small files. Returns how many were removed and added; appends may go on meanwhile."""
    began = time.monotonic()
    metrics = spark.sql(f"OPTIMIZE delta.`{path}`").select("metrics").collect()[0][0]
    removed, added = metrics["numFilesRemoved"], metrics["numFilesAdded"]
    log.info("%s: %d files became %d in %.1f s", path, removed, added, time.monotonic() - began)
    return removed, added
