"""How far a domain's bronze has come: its last batch, and the last offset of each partition.

What was dropped from it counts too. Its rows are gone, so the table keeps a note of where they ended: a new checkpoint
that began before that end would read the dropped events again, and would give its batches numbers that Delta knows and
skips in silence.
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

NOTE = "sauda.reached"


@dataclass(frozen=True)
class Reached:
    """`batch` is None, and `offsets` empty, before the first batch. Partitions are written as text."""

    batch: int | None = None
    offsets: Mapping[str, int] = field(default_factory=dict)

    def joined(self, other: Reached) -> Reached:
        """The farther of both."""
        batches = [batch for batch in (self.batch, other.batch) if batch is not None]
        partitions = sorted({*self.offsets, *other.offsets})
        offsets = {p: max(self.offsets.get(p, -1), other.offsets.get(p, -1)) for p in partitions}
        return Reached(max(batches, default=None), offsets)

    def as_json(self) -> str:
        return json.dumps({"batch": self.batch, "offsets": dict(self.offsets)})


def reached(spark: SparkSession, path: str) -> Reached:
    """Of the bronze table at a path, by its rows and its note."""
    rows = (
        spark.read.format("delta").load(path).groupBy("kafka_partition")
        .agg({"kafka_offset": "max", "batch_id": "max"})
        .selectExpr("kafka_partition", "`max(kafka_offset)`", "`max(batch_id)`").collect()
    )  # fmt: skip
    batches = [int(batch) for _, _, batch in rows]
    there = Reached(max(batches, default=None), {str(partition): int(offset) for partition, offset, _ in rows})
    properties = {row[0]: row[1] for row in spark.sql(f"SHOW TBLPROPERTIES delta.{ident(path)}").collect()}
    return there.joined(Reached(**json.loads(properties[NOTE]))) if NOTE in properties else there


def note(spark: SparkSession, path: str) -> None:
    """Note on a bronze table how far it has come. Only for the one writer."""
    spark.sql(set_properties(path, {NOTE: reached(spark, path).as_json()})).collect()
