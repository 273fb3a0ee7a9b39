"""What the streams' pure functions make of raw values: many values judged in two Spark jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from streaming.core import parse
from streaming.core.domain import Branch

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Headers = list[tuple[str, bytes | None]]
KAFKA = (
    "topic string, partition int, offset bigint, timestamp timestamp, "
    "headers array<struct<key:string,value:binary>>, key binary, value binary"
)
ARRIVED = datetime(2026, 2, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Verdict:
    """What became of one value: the cleaned lines, or the refusals with rule, sentence and so on."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rule(self) -> str:
        """The rule of its one refusal; empty for an accepted value, and an AssertionError for anything else."""
        assert bool(self.lines) != bool(self.refusals), f"both or neither: {self}"
        assert len(self.refusals) <= 1
        return str(self.refusals[0]["rule"]) if self.refusals else ""

    @property
    def sentence(self) -> str:
        return str(self.refusals[0]["sentence"]) if self.refusals else ""


def kafka(spark: SparkSession, values: Sequence[bytes | None], headers: Sequence[Headers | None] = ()) -> DataFrame:
    """The values as Spark reads them from the topic `purchases`: value n has offset n of partition 1."""
    given = [*headers, *[None] * (len(values) - len(headers))]
    paired = enumerate(zip(values, given, strict=True))
    rows = [("purchases", 1, offset, ARRIVED, with_it, None, value) for offset, (value, with_it) in paired]
    return spark.createDataFrame(rows, KAFKA)


def verdicts(
    spark: SparkSession, branch: Branch, values: Sequence[bytes | None], headers: Sequence[Headers | None] = ()
) -> list[Verdict]:
    """One verdict a value, in order."""
    raw = parse.records(kafka(spark, values, headers))
    result = [Verdict() for _ in values]
    cleaned = branch.rows(raw)
    columns = [c for c in branch.silver.columns if c != "batch_id"]
    for row in cleaned.select(*columns).collect():
        result[row["kafka_offset"]].lines.append({name: _plain(value) for name, value in row.asDict().items()})
    # Asked of an accepted record too, it knows no rule that is broken.
    for row in branch.refused(raw).where(F.col("rule") != parse.LEFT_OUT).collect():
        result[row["kafka_offset"]].refusals.append({name: _plain(value) for name, value in row.asDict().items()})
    for verdict in result:
        verdict.lines.sort(key=lambda line: int(line["line_no"]))
    return result


def _plain(value: object) -> object:
    """Spark hands out instants in the machine's own zone and without saying so."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
