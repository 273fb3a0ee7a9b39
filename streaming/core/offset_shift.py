"""How the lake counts the offsets of a topic that was made anew.

An event is known by its place: topic, partition, offset. A topic that is made anew begins at 0 again, and its events
would take the places of the former ones: an event without an id would be a copy of another, a batch would seem to be
read already, and ClickHouse would keep the wrong row. So the lake counts on where the former topic ended.

Kafka, Spark's checkpoints and `/progress` have the topic's own offsets; bronze, what is made of it, and the notes of
gaps have the counted ones. Of a topic that never was made anew both are the same.
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
class Numbering:
    """`ahead` is what is added to a partition's offsets since the topic is the one of that id."""

    topic_id: str = ""
    ahead: Mapping[str, int] = field(default_factory=dict)

    def counted(self, offsets: Mapping[str, int]) -> dict[str, int]:
        """The topic's own offsets as the lake counts them."""
        return {p: offset + self.ahead.get(p, 0) for p, offset in offsets.items()}

    def own(self, offsets: Mapping[str, int]) -> dict[str, int]:
        """The lake's offsets as the topic has them; what was before it is its beginning."""
        return {p: max(0, offset - self.ahead.get(p, 0)) for p, offset in offsets.items()}

    def applied(self, kafka: DataFrame) -> DataFrame:
        """Kafka's rows with the offsets that the lake counts."""
        added = {int(p): n for p, n in self.ahead.items() if n}
        if not added:
            return kafka
        from pyspark.sql import functions as F

        cases = " ".join(f"WHEN {p} THEN {n}L" for p, n in sorted(added.items()))
        return kafka.withColumn("offset", F.expr(f"offset + CASE partition {cases} ELSE 0L END"))


UNCHANGED = Numbering()


def read(settings: Settings, bronze: Contract) -> Numbering:
    """As it stands on a bronze table."""
    text = configuration(settings, bronze).get(PROPERTY)
    return Numbering(**json.loads(text)) if text else UNCHANGED


def write(spark: SparkSession, path: str, numbering: Numbering) -> None:
    """Note it on the bronze table, with which it is lost or kept. Only for the one writer."""
    spark.sql(set_properties(path, {PROPERTY: json.dumps(asdict(numbering))})).collect()
