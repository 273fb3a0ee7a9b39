"""The position of a domain's bronze table: its last batch, and the last offset of each partition.

Rows that were dropped count too. They are gone, so a property of the table keeps the position that they had reached. A
new checkpoint that began before it would read the dropped events again, and its batches would have numbers that Delta
knows already and skips without an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.derive.delta import set_properties
from schemas.derive.spark import ident

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PROPERTY = "sauda.reached"


@dataclass(frozen=True)
class BronzePosition:
    """`batch` is None, and `offsets` empty, before the first batch. Partitions are written as text."""

    batch: int | None = None
    offsets: Mapping[str, int] = field(default_factory=dict)

    def maximum(self, other: BronzePosition) -> BronzePosition:
        """The larger of both, by batch and by partition."""
        batches = [batch for batch in (self.batch, other.batch) if batch is not None]
        partitions = sorted({*self.offsets, *other.offsets})
        offsets = {p: max(self.offsets.get(p, -1), other.offsets.get(p, -1)) for p in partitions}
        return BronzePosition(max(batches, default=None), offsets)

    def as_json(self) -> str:
        return json.dumps({"batch": self.batch, "offsets": dict(self.offsets)})


def read_position(spark: SparkSession, path: str) -> BronzePosition:
    """The position of the bronze table at a path, by its rows and its property."""
    rows = (
        spark.read.format("delta").load(path).groupBy("kafka_partition")
        .agg({"kafka_offset": "max", "batch_id": "max"})
        .selectExpr("kafka_partition", "`max(kafka_offset)`", "`max(batch_id)`").collect()
    )  # fmt: skip
    batches = [int(batch) for _, _, batch in rows]
    in_rows = BronzePosition(max(batches, default=None), {str(partition): int(offset) for partition, offset, _ in rows})
    properties = {row[0]: row[1] for row in spark.sql(f"SHOW TBLPROPERTIES delta.{ident(path)}").collect()}
    return in_rows.maximum(BronzePosition(**json.loads(properties[PROPERTY]))) if PROPERTY in properties else in_rows


def save_position(spark: SparkSession, path: str) -> None:
    """Keep the position in a property of the table. Only for the table's one writer."""
    spark.sql(set_properties(path, {PROPERTY: read_position(spark, path).as_json()})).collect()
