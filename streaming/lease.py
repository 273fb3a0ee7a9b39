"""One writer: Delta on S3 loses data when two processes commit to one table.

The lock is held twice. Python's is there at once and refuses a second process with a sentence. Java's is held by the
process that really writes: a Spark whose Python was killed lives a moment longer, and may still commit.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WAIT_SECONDS = 90.0


class Held(Exception):
    """Another process holds the tables; the message names it."""


def take(folder: Path) -> IO[str]:
    """Hold the lease for as long as the file that is returned stays open. Raises `Held`."""
    folder.mkdir(parents=True, exist_ok=True)
    held = (folder / "stream.lock").open("a+")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.seek(0)
        holder = held.read().strip()
        held.close()
        raise Held(f"another streaming process (pid {holder}) writes these tables; stop it first") from None
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held


def take_in_java(spark: SparkSession, folder: Path) -> object:
    """Hold the lease in Spark's own process, once a dying predecessor has let go. Raises `Held` after 90 seconds."""
    java = spark.sparkContext._jvm.java  # type: ignore[union-attr]
    channel = java.io.RandomAccessFile(str(folder / "spark.lock"), "rw").getChannel()
    end = time.monotonic() + WAIT_SECONDS
    while (lock := channel.tryLock()) is None:
        if time.monotonic() > end:
            raise Held("a Spark process of an earlier stream still writes these tables; stop it first")
        time.sleep(0.2)
    return lock
