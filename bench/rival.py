"""The drain's rival: one Python loop of confluent-kafka, polars, deltalake and clickhouse-connect.

It does the stream's work but for the removal of duplicates, with the same rules over the same JSON: bronze, silver and
quarantine into Delta on the same MinIO, silver and quarantine into ClickHouse. Unlike the stream it is at-least-once,
and a value that is not JSON would end it. ``python -m bench.rival`` reads to the end that the topic has at its start.
"""

from __future__ import annotations

import gc
import json
import time
from typing import Any

import click
import numpy as np
import polars as pl
import pyarrow as pa
from confluent_kafka import Consumer, Message, TopicPartition
from deltalake import WriterProperties, write_deltalake

from bench.ground import BRONZE, QUARANTINE, SILVER, TOPIC, rivals
from conf import settings
from conf.connect import clickhouse, consumer_config
from schemas.common.currencies import CURRENCIES
from schemas.contract import find
from schemas.purchases.events import MOST_LINES, MOST_PIECES, MOST_PRICE, MOST_WORTH

LINE = pl.Struct({"product_id": pl.String, "description": pl.String, "quantity": pl.Int64, "unit_price": pl.String})
EVENT = pl.Struct(
    {
        "purchase_id": pl.String, "purchased_at": pl.String, "seller_id": pl.String, "customer_id": pl.String,
        "currency_code": pl.String, "lines": pl.List(LINE), "source": pl.String,
    }
)  # fmt: skip
MONEY = pl.Decimal(18, 4)
MAX_BYTES = find("silver.purchase_lines").built_from[0].built_from[0].max_bytes
HEADER = pa.struct([("key", pa.string()), ("value", pa.binary())])
LARGEST = 2**63 - 1


def text(column: str, longest: int, optional: bool = False) -> pl.Expr:
    """True where the text is there, not blank, and not too long."""
    kept = pl.col(column).str.contains(r"\S") & (pl.col(column).str.len_chars() <= longest)
    return kept.fill_null(optional)


EVENT_RULES = {
    "record.oversized": pl.col("value").bin.size() <= MAX_BYTES,
    "purchase_id.not_empty": text("purchase_id", 128),
    "purchased_at.type": pl.col("purchased_at").is_not_null(),
    "purchased_at.since": pl.col("purchased_at") >= pl.datetime(2000, 1, 1, time_zone="UTC"),
    "purchased_at.not_ahead_of": pl.col("purchased_at") <= pl.col("ingested_at") + pl.duration(hours=24),
    "seller_id.not_empty": text("seller_id", 64),
    "customer_id.not_empty": text("customer_id", 64, optional=True),
    "currency_code.one_of": pl.col("currency_code").is_in(list(CURRENCIES)),
    "lines.min_items": pl.col("lines").list.len() > 0,
    "lines.fewest": pl.col("lines").list.len() <= MOST_LINES,
    "source.max_length": (pl.col("source").str.len_chars() <= 500).fill_null(True),
}
LINE_RULES = {
    "lines.product_id.not_empty": text("product_id", 64),
    "lines.description.max_length": (pl.col("description").str.len_chars() <= 1_000).fill_null(True),
    "lines.quantity.not_zero": pl.col("quantity") != 0,
    "lines.quantity.at_most": pl.col("quantity").is_between(-MOST_PIECES, MOST_PIECES),
    "lines.unit_price.type": pl.col("written_price").str.contains(r"^-?\d{1,14}(\.\d{1,4})?$"),
    "lines.unit_price.at_most": pl.col("unit_price_amount").is_between(-MOST_PRICE, MOST_PRICE),
    # The contract bounds the sum of a purchase's lines; of each line it takes the rival no less to ask.
    "lines.worth_at_most": (pl.col("quantity") * pl.col("unit_price_amount")).abs() <= MOST_WORTH,
    "lines.price_of_a_sale": (pl.col("quantity") < 0) | (pl.col("unit_price_amount") > 0),
}


def broken(rules: dict[str, pl.Expr]) -> pl.Expr:
    """The name of the first rule that is broken, else null."""
    names = [pl.when(~kept.fill_null(False)).then(pl.lit(name)) for name, kept in rules.items()]
    return pl.coalesce(names)


def kept(rules: dict[str, pl.Expr]) -> pl.Expr:
    return pl.all_horizontal(*(rule.fill_null(False) for rule in rules.values()))


def raw(messages: list[Message], batch: int, *, headers: bool) -> pl.DataFrame:
    """Bronze: the records as they came."""
    keys = [m.key() for m in messages]
    given: list[list[tuple[str, bytes]]] = [m.headers() or [] for m in messages] if headers else []
    ids = [h[0][1] if h and h[0][0] == "ce_id" else dict(h).get("ce_id", b"") for h in given] if headers else keys
    columns: dict[str, Any] = {
        "kafka_partition": pa.array([m.partition() for m in messages], pa.int64()),
        "kafka_offset": pa.array([m.offset() for m in messages], pa.int64()),
        "ingested_at": pa.array([m.timestamp()[1] for m in messages], pa.timestamp("ms", "UTC")),
        "event_id": pa.array(ids, pa.binary()),
        "key": pa.array(keys, pa.binary()),
        "value": pa.array([m.value() for m in messages], pa.binary()),
    }
    if headers:
        names = [name for record in given for name, _ in record]
        values = [value for record in given for _, value in record]
        ends = np.cumsum([0, *map(len, given)]).astype(np.int32)
        flat = pa.StructArray.from_arrays(
            [pa.array(names, pa.string()), pa.array(values, pa.binary())], fields=list(HEADER)
        )
        columns["headers"] = pa.ListArray.from_arrays(pa.array(ends), flat)
    frame = pl.DataFrame(pl.from_arrow(pa.table(columns)))
    return frame.with_columns(
        pl.lit(TOPIC).alias("kafka_topic"),
        pl.col("ingested_at").dt.cast_time_unit("us"),
        pl.col("event_id").cast(pl.String),
        pl.lit(batch, pl.Int64).alias("batch_id"),
    ).with_columns(pl.col("event_id").hash().reinterpret(signed=True).alias("event_hash"))


def refine(bronze: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Silver's lines and quarantine's rows. An event with a broken line is refused as a whole."""
    arrival = LARGEST - (pl.col("ingested_at").dt.epoch("ms") * 4_194_304 + pl.col("kafka_offset") % 4_194_304)
    parsed = (
        bronze.drop("headers", "key", strict=False)
        .with_columns(pl.col("value").cast(pl.String).str.json_decode(EVENT).struct.unnest(), arrival.alias("arrival"))
        .with_columns(
            pl.col("purchased_at").str.to_datetime(
                "%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC", strict=False
            )
        )
        .with_row_index("row")
    )
    good = parsed.filter(kept(EVENT_RULES))
    lines = (
        good.drop("value")
        .with_columns(pl.int_ranges(pl.col("lines").list.len()).alias("line_no"))
        .explode("lines", "line_no")
        .unnest("lines")
        .with_columns(
            pl.col("unit_price").alias("written_price"),
            pl.col("unit_price").cast(MONEY, strict=False).alias("unit_price_amount"),
        )
    )
    bad_lines = (
        lines.filter(~kept(LINE_RULES)).select("row", broken(LINE_RULES).alias("rule")).unique("row", keep="first")
    )
    silver = lines.filter(~pl.col("row").is_in(bad_lines["row"].implode()))
    units = (pl.col("unit_price_amount") * 10_000).cast(pl.Int64) * pl.col("quantity")
    silver = silver.with_columns(
        units.alias("line_units"),
        (pl.col("unit_price_amount") * pl.col("quantity").cast(pl.Decimal(18, 0))).cast(MONEY).alias("line_amount"),
        (pl.col("quantity") < 0).alias("is_return"),
        pl.col("purchased_at").dt.date().alias("sold_on"),
        pl.col("line_no").cast(pl.Int64),
    )
    bad_events = parsed.filter(~kept(EVENT_RULES)).select("row", broken(EVENT_RULES).alias("rule"))
    refused = parsed.join(pl.concat([bad_events, bad_lines]), on="row").with_columns(
        pl.format("{} is broken", "rule").alias("sentence")
    )
    return silver, refused


def ordered(frame: pl.DataFrame, names: list[str]) -> pa.Table:
    """Arrow in the contract's order; strings in the old layout, which every reader knows."""
    return frame.select([n for n in names if n in frame.columns]).to_arrow(compat_level=pl.CompatLevel.oldest())


def ends(consumer: Consumer) -> dict[int, int]:
    known = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
    return {p: consumer.get_watermark_offsets(TopicPartition(TOPIC, p), timeout=10)[1] for p in known}


@click.command()
@click.option("--batch", "size", default=250_000, show_default=True, help="Records a batch.")
@click.option(
    "--headers/--no-headers",
    default=True,
    show_default=True,
    help="Whether bronze keeps the headers; if not, the key is the id.",
)
def main(size: int, headers: bool) -> None:
    """Drain the topic once; ends with a line of JSON."""
    sinks = rivals(settings())
    chosen = sinks.settings
    storage = {
        "AWS_ENDPOINT_URL": chosen.s3, "AWS_ACCESS_KEY_ID": chosen.s3_key, "AWS_SECRET_ACCESS_KEY": chosen.s3_secret,
        "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true",
    }  # fmt: skip
    # What Spark writes with: zstd, and its library's default level.
    properties = WriterProperties(compression="ZSTD", compression_level=3)
    client = clickhouse(chosen)
    consumer = Consumer(
        consumer_config(chosen, f"rival-{time.time_ns()}")
        | {
            "auto.offset.reset": "earliest", "queued.min.messages": 500_000, "fetch.max.bytes": 67_108_864,
            "max.partition.fetch.bytes": 16_777_216, "queued.max.messages.kbytes": 262_144,
        }
    )  # fmt: skip
    consumer.subscribe([TOPIC])
    wanted = sum(ends(consumer).values())
    spent: dict[str, float] = dict.fromkeys(("consume", "bronze", "refine", "delta", "clickhouse"), 0.0)
    began, read, batch = 0.0, 0, 0
    # Millions of small objects, none of them in a cycle: looking through them would double the time.
    gc.disable()

    def lap(name: str, since: float) -> float:
        now = time.perf_counter()
        spent[name] += now - since
        return now

    def append(name: str, frame: pl.DataFrame) -> None:
        rows = ordered(frame, [str(c) for c in find(name).columns])
        path = chosen.table_path(name, "s3")
        write_deltalake(path, rows, mode="append", storage_options=storage, writer_properties=properties)

    while read < wanted:
        at = time.perf_counter()
        messages: list[Message] = []
        while len(messages) < size and read + len(messages) < wanted:
            messages += consumer.consume(min(50_000, size - len(messages)), timeout=1.0)
            if messages and not began:
                began = time.time()
        at = lap("consume", at)
        bronze = raw(messages, batch, headers=headers)
        at = lap("bronze", at)
        silver, refused = refine(bronze)
        at = lap("refine", at)
        append(BRONZE, bronze)
        append(SILVER, silver)
        if refused.height:
            append(QUARANTINE, refused)
        at = lap("delta", at)
        client.insert_arrow(sinks.silver, ordered(silver, [str(c) for c in find(SILVER).serving_columns]))
        if refused.height:
            names = [str(c) for c in find("ops.quarantine").serving_columns]
            client.insert_arrow(sinks.refused, ordered(refused, names))
        lap("clickhouse", at)
        consumer.commit(asynchronous=False)
        read, batch = read + len(messages), batch + 1
        click.echo(f"{read:,} of {wanted:,}", err=True)
    consumer.close()
    click.echo(
        json.dumps({"began": began, "ended": time.time(), "read": read, "spent": spent, "cpu": time.process_time()})
    )


if __name__ == "__main__":
    main()
