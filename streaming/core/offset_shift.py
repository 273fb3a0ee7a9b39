"""How the lake shifts the offsets of a topic that was deleted and created again.

An event is identified by topic, partition and offset. A topic that is created again begins at offset 0, so its events
would have the offsets of earlier ones: an event without an id would look like a copy of another, a batch would seem to
be read already, and ClickHouse would keep the wrong row. So the lake adds to the offsets what the former topic had.

Kafka, Spark's checkpoints and `/progress` have the topic's own offsets. Bronze, all that is made of it, and the saved
gaps have the shifted ones. For a topic that was never created again both are the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from conf import Settings
from schemas.contract import Contract
from schemas.derive.delta import set_properties
from streaming.core.schema_check import configuration

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PROPERTY = "sauda.numbering"


@dataclass(frozen=True)
class OffsetShift:
    """`ahead` is what is added to the offsets of each partition, for the topic with this id."""

    topic_id: str = ""
    ahead: Mapping[str, int] = field(default_factory=dict)

    def shifted(self, offsets: Mapping[str, int]) -> dict[str, int]:
        """The lake's offsets for the topic's own."""
        return {p: offset + self.ahead.get(p, 0) for p, offset in offsets.items()}

    def original(self, offsets: Mapping[str, int]) -> dict[str, int]:
        """The topic's own offsets for the lake's; those of an earlier topic become 0."""
        return {p: max(0, offset - self.ahead.get(p, 0)) for p, offset in offsets.items()}

    def applied(self, kafka: DataFrame) -> DataFrame:
        """Kafka's rows with shifted offsets."""
        added = {int(p): n for p, n in self.ahead.items() if n}
        if not added:
            return kafka
        from pyspark.sql import functions as F

        cases = " ".join(f"WHEN {p} THEN {n}L" for p, n in sorted(added.items()))
        return kafka.withColumn("offset", F.expr(f"offset + CASE partition {cases} ELSE 0L END"))


NO_SHIFT = OffsetShift()


def read(settings: Settings, bronze: Contract) -> OffsetShift:
    """Read the shift from a property of the bronze table."""
    text = configuration(settings, bronze).get(PROPERTY)
    return OffsetShift(**json.loads(text)) if text else NO_SHIFT


def write(spark: SparkSession, path: str, shift: OffsetShift) -> None:
    """Save the shift in a property of the bronze table. Only for the table's one writer."""
    spark.sql(set_properties(path, {PROPERTY: json.dumps(asdict(shift))})).collect()
