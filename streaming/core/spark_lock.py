"""The stream's lease (`conf.lease`), once more in the process that really writes.

A Spark whose Python was killed lives a moment longer, and may still commit: the lock in Java is free when it is gone.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from conf.lease import NotOurs

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WAIT_SECONDS = 90.0


def take_in_java(spark: SparkSession, folder: Path) -> object:
    """Hold the lease in Spark's own process, once a dying predecessor has let go. Raises NotOurs after 90 seconds."""
    java = spark.sparkContext._jvm.java  # type: ignore[union-attr]
    channel = java.io.RandomAccessFile(str(folder / "spark.lock"), "rw").getChannel()
    end = time.monotonic() + WAIT_SECONDS
    while (lock := channel.tryLock()) is None:
        if time.monotonic() > end:
            raise NotOurs("A Spark process of an earlier stream still writes these tables; stop it first.")
        time.sleep(0.2)
    return lock
