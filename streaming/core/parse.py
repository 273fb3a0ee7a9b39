"""From Kafka records to parsed events: pure DataFrame functions, the same for every topic and both lanes."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from schemas.contract import Contract
from schemas.contract.rules import quoted
from schemas.derive.quarantine import is_broken, plain_text, read_event, read_leniently, reason, text_ddl


def header(name: str) -> str:
    """A Kafka header as text, the first of its name; null where there is none.

    Without a lambda, which Spark interprets: over a batch of registers' rows that took ten times as long.
    """
    place = f"CAST(array_position(headers.key, {quoted(name)}) AS INT) - 1"
    return f"CAST(get(headers.value, {place}) AS STRING)"


# A record without an id is identified by topic, partition and offset.
EVENT_ID = f"coalesce(nullif({header('ce_id')}, ''), concat_ws(':', kafka_topic, kafka_partition, kafka_offset))"
EVENT_TYPE = header("ce_type")
SOURCE = header("ce_source")
# Milliseconds of the broker's clock, then the low bits of the offset, taken from the largest BIGINT: an earlier copy
# of an event has the greater number, and it is the greater that ReplacingMergeTree keeps. Bounded (by the year 2248),
# because a topic that takes its producers' clocks may hold any time, and an overflow would stop the stream.
ARRIVAL = (
    "9223372036854775807 - "
    "(least(greatest(unix_millis(ingested_at), 0), 8796093022207) * 1048576 + kafka_offset % 1048576)"
)

LEFT_OUT = "record.left_out"
ENVELOPE = ("kafka_topic", "kafka_partition", "kafka_offset", "ingested_at", "event_id", "event_hash")


def records(kafka: DataFrame) -> DataFrame:
    """Kafka's columns with the names of `schemas.ops.tables.Raw` (all but its batch)."""
    named = kafka.select(
        F.col("topic").alias("kafka_topic"),
        F.col("partition").cast("bigint").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
        F.col("timestamp").alias("ingested_at"),
        "headers",
        "key",
        "value",
    )
    known = named.withColumns({"event_id": F.expr(EVENT_ID), "event_type": F.expr(EVENT_TYPE)})
    return known.withColumn("event_hash", F.xxhash64("event_id"))


def exploded(raw: DataFrame, event: Contract, listed: str) -> DataFrame:
    """One row per element of the event's list `listed`: `line_no`, `line`, the envelope, the parsed event `e`, headers,
    value. Without a list, one row an event, whose `line` is true.

    A refused event gives one row whose `line` is null, and callers drop rows by that: a filter on a parsed field would
    be pushed below the parse, and the JSON parsed twice (1.6 s per million events).
    """
    carried = (*ENVELOPE, "headers", "value", "e")
    lines = f"e.`{listed}`" if listed else "array(true)"
    read = raw.withColumn("e", F.expr(read_event(event)))
    judged = read.selectExpr(*carried, f"CASE WHEN NOT ({is_broken(event)}) THEN {lines} END AS kept")
    every = judged.selectExpr(*carried, "posexplode_outer(kept) AS (line_no, line)")
    return every.withColumn("line_no", F.col("line_no").cast("bigint")).withColumn("arrival", F.expr(ARRIVAL))


def refused(raw: DataFrame, event: Contract) -> DataFrame:
    """Refused records, each with the rule that it breaks and its sentence.

    `source` is what the event itself says of it (a file with its lines), else what the header ce_source says.
    """
    corrupt = {"columnNameOfCorruptRecord": "_corrupt"}
    text = F.from_json(F.expr(plain_text(event)), text_ddl(event), corrupt)
    parsed = raw.withColumns({"e": F.expr(read_event(event)), "partly": F.expr(read_leniently(event)), "t": text})
    # Of what breaks no rule and was refused, the cleaning function has made no row: that must not be lost in silence.
    other = f"named_struct('rule', '{LEFT_OUT}', 'sentence', 'the event keeps all rules, but no row was made of it')"
    judged = parsed.withColumn("why", F.expr(f"CASE WHEN {is_broken(event)} THEN {reason(event)} ELSE {other} END"))
    source = f"coalesce(nullif(trim(t.source), ''), {SOURCE})" if "source" in event.columns else SOURCE
    return judged.select(
        *ENVELOPE,
        F.expr(ARRIVAL).alias("arrival"),
        F.col("why.rule").alias("rule"),
        F.col("why.sentence").alias("sentence"),
        "value",
        F.expr(source).alias("source"),
    )
