"""Freshness's rival: one Spark micro-batch a second that writes Delta and then ClickHouse in the same foreachBatch.

It shares Sauda's parse and cleaning, so that only the shape differs: one lane in place of two. ``python -m
bench.rival_microbatch`` prints "ready" once its query runs, and ends at SIGTERM.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from bench.ground import BRONZE, SILVER, rival_checkpoints, rivals
from conf import settings
from conf.connect import clickhouse, kafka_spark_options
from conf.spark import spark_session
from schemas.contract import find
from schemas.derive.live_tables import apply_delta
from streaming.core import parse
from streaming.core.registry import domains

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TRIGGER = "1 second"


def main() -> None:
    """Run until told to stop."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    sinks = rivals(settings())
    chosen = sinks.settings
    spark = spark_session(chosen, "rival", memory=chosen.stream_memory, ui_port=chosen.port("job_ui"), streaming=True)
    for name in (BRONZE, SILVER):
        apply_delta(spark, find(name), chosen.table_path(name))
    domain, branch = next((d, b) for d in domains() for b in d.branches if b.silver.name == SILVER)
    client = clickhouse(chosen)
    serving = [str(c) for c in branch.silver.serving_columns]

    def write(rows: DataFrame, name: str, number: int) -> None:
        out = rows.select(*find(name).columns).write.format("delta").mode("append")
        out.option("txnAppId", f"rival:{name}").option("txnVersion", number).save(chosen.table_path(name))

    def handle(batch: DataFrame, number: int) -> None:
        raw = parse.records(batch).withColumn("batch_id", F.lit(number).cast("bigint")).persist()
        lines = branch.rows(raw)
        lines = lines.withColumn("batch_id", F.lit(number).cast("bigint")).persist()
        write(raw, BRONZE, number)
        write(lines, SILVER, number)
        rows = lines.select(*serving).toArrow()
        if rows.num_rows:
            token = {"insert_deduplication_token": f"rival:{number}", "async_insert": 0}
            client.insert_arrow(sinks.silver, rows, settings=token)
        lines.unpersist()
        raw.unpersist()

    source = (
        spark.readStream.format("kafka")
        .options(**kafka_spark_options(chosen))
        .option("subscribe", domain.topic)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", chosen.live_batch_events)
        .option("includeHeaders", "true")
        .load()
    )
    query = (
        source.writeStream.queryName("rival")
        .trigger(processingTime=TRIGGER)
        .option("checkpointLocation", str(rival_checkpoints(chosen)))
        .foreachBatch(handle)
        .start()
    )
    print("ready", file=sys.stderr, flush=True)
    query.awaitTermination()


if __name__ == "__main__":
    main()
