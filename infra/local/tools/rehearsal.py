"""``python -m infra.local.tools.rehearsal FILE``: do in little what stream and nights do, and let Java write FILE.

No part of the stack is needed: tables lie in a temporary folder, and Kafka and S3 are asked on a port where nobody
answers, which loads most of their classes too.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from conf import LOOPBACK, settings
from conf.connect import kafka_spark_options
from conf.spark import spark_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NOBODY = f"{LOOPBACK}:9"
"""The port of the old discard service."""
KAFKA = {
    "kafka.bootstrap.servers": NOBODY,
    "subscribe": "none",
    "kafka.default.api.timeout.ms": "400",
    "kafka.request.timeout.ms": "300",
    "fetchOffset.numRetries": "1",
}
ROWS = """
    SELECT id, CAST(id AS STRING) AS name, CAST(id % 7 AS DECIMAL(18, 4)) AS amount, timestamp_micros(id) AS taken_at,
        date_add(DATE'2026-01-01', CAST(id % 30 AS INT)) AS day FROM range(1000)
"""
READ = """
    SELECT xxhash64(e.name), e.*, posexplode_outer(e.lines) AS (place, line) FROM (
        SELECT from_json(to_json(named_struct('id', id, 'name', name, 'lines', array(named_struct('a', name)))),
            'id BIGINT, name STRING, lines ARRAY<STRUCT<a STRING>>') AS e FROM delta.`{0}`)
"""
ADD_UP = """
    SELECT day, sum(amount), count(*), count(DISTINCT name), percentile_approx(amount, 0.5),
        max(sum(amount)) OVER (ORDER BY day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
    FROM delta.`{0}` LEFT JOIN (SELECT id, first(name) AS other FROM delta.`{0}` GROUP BY id) USING (id) GROUP BY day
"""


def rehearse(spark: SparkSession, folder: Path, login: Mapping[str, str]) -> None:
    """Writing, reading, adding up, a stream, and what can be seen of Kafka and S3 without them."""
    path = str(folder / "table")
    rows = spark.sql(ROWS)
    for number in range(2):
        rows.write.format("delta").mode("append").option("txnAppId", "a").option("txnVersion", number).save(path)
    day = "day = DATE'2026-01-02'"
    rows.where(day).write.format("delta").mode("overwrite").option("replaceWhere", day).save(path)
    spark.sql(READ.format(path)).toArrow()
    spark.sql(ADD_UP.format(path)).collect()
    spark.createDataFrame(rows.toArrow()).join(rows, "id", "left_anti").count()
    spark.sql(f"OPTIMIZE delta.`{path}`").collect()
    ticks = spark.readStream.format("rate").load().writeStream.option("checkpointLocation", str(folder / "stream"))
    query = ticks.foreachBatch(lambda batch, _: batch.toArrow()).start()
    deadline = time.monotonic() + 30
    while query.lastProgress is None and time.monotonic() < deadline:
        time.sleep(0.1)
    query.stop()
    for ask in (
        spark.read.format("kafka").options(**{**login, **KAFKA}).load().count,
        lambda: spark.read.parquet("s3a://a/b"),
    ):
        with contextlib.suppress(Exception):
            ask()


def main(file: Path) -> None:
    chosen = settings()
    # What it learns is asked for again and again; there is no sense in compiling it well for this once.
    spark = spark_session(chosen, "rehearsal", memory="1g", ui_port=0, quick=True, record=file)
    java = spark.sparkContext._gateway.proc  # type: ignore[union-attr]
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    for key, value in {"endpoint": f"http://{NOBODY}", "attempts.maximum": "1", "retry.limit": "0"}.items():
        hadoop.set(f"fs.s3a.{key}", value)
    with tempfile.TemporaryDirectory() as folder:
        rehearse(spark, Path(folder), kafka_spark_options(chosen))
        spark.stop()
    # Java writes the archive when its program is over.
    java.stdin.close()
    java.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
