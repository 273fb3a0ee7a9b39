"""Holds the stream's lease (`conf.lease`) in the Java process too, which is the one that writes.

A Spark whose Python was killed lives a moment longer and may still commit. Its lock is free when it has ended.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from conf.lease import NotOurs

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WAIT_SECONDS = 90.0
LONG_MAX = 2**63 - 1


def take_in_java(spark: SparkSession, folder: Path, domains: Collection[str] = ()) -> list[object]:
    """Hold the lease of these domains, or of all, in Spark's own process; it waits for a dying predecessor.

    Raises NotOurs after 90 seconds.
    """
    end = time.monotonic() + WAIT_SECONDS
    locks = [_take(spark, folder / "spark.lock", end, shared=bool(domains))]
    return locks + [_take(spark, folder / f"spark.{domain}.lock", end) for domain in sorted(domains)]


def _take(spark: SparkSession, file: Path, end: float, *, shared: bool = False) -> object:
    java = spark.sparkContext._jvm.java  # type: ignore[union-attr]
    channel = java.io.RandomAccessFile(str(file), "rw").getChannel()
    while (lock := channel.tryLock(0, LONG_MAX, shared)) is None:
        if time.monotonic() > end:
            raise NotOurs("A Spark process of an earlier stream still writes these tables; stop it first.")
        time.sleep(0.2)
    return lock
