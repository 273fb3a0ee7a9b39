"""A sample of silver, judged after a night."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.gates.gates import GateResult
from jobs.gates.samples import Samples, sampled
from schemas.contract import Contract
from tests.support.parquet_lake import ParquetLake
from tests.support.purchases import LINES
from tests.support.tables import table_from_text
from tests.support.transforms import frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.usefixtures("interpreted")

# Sixty events of two lines.
EVENTS = "\n".join(
    ["| event_id | line_no | event_hash |", *(f"| e{n} | {line} | {n * 7919} |" for n in range(60) for line in (0, 1))]
)


def test_whole_events_are_chosen_the_same_ones_each_time(spark: SparkSession) -> None:
    rows = frame(spark, LINES, EVENTS)
    chosen = sorted((r.event_id, r.line_no) for r in sampled(rows, LINES, 40).collect())
    again = sorted((r.event_id, r.line_no) for r in sampled(rows.repartition(3), LINES, 40).collect())

    assert chosen == again
    assert 20 <= len(chosen) <= 60
    assert {event for event, line in chosen if line == 0} == {event for event, line in chosen if line == 1}
    assert sampled(rows, LINES, 120).count() == 120


def test_a_sample_warns_and_shows_no_more_than_the_key(spark: SparkSession, tmp_path: Path) -> None:
    lake, gate_results = ParquetLake(tmp_path), dict[str, GateResult]()
    lines = table_from_text(LINES, EVENTS)
    lake.write(frame(spark, LINES, [*lines, lines[0]]), LINES.name, where="", note="test")

    def judged(table: Contract, gate_result: GateResult) -> None:
        gate_results[table.name] = gate_result

    Samples(spark, lake, 1_000, judged).validate([LINES])
    (broken,) = gate_results[LINES.name].verdicts

    assert (broken.gate, broken.rows, broken.stops) == ("key", 1, False)
    assert broken.example == "event_id e0, line_no 0, count 2"
    assert gate_results[LINES.name].facts.rows == 121


@pytest.mark.parametrize(("since", "seen"), [(date(2026, 1, 9), []), (date(2026, 1, 10), ["2026-01-09"])])
def test_silver_in_which_nothing_arrives_any_more_is_warned_of(
    spark: SparkSession, tmp_path: Path, since: date, seen: list[str]
) -> None:
    lake, gate_results = ParquetLake(tmp_path), dict[str, GateResult]()
    lines = table_from_text(LINES, EVENTS)
    for line in lines:
        # One event of sixty is newer than all others, which the hash does not choose.
        line["ingested_at"] = datetime(2026, 1, 9 if line["event_id"] == "e1" else 2, 23, tzinfo=UTC)
    lake.write(frame(spark, LINES, lines), LINES.name, where="", note="test")
    Samples(spark, lake, 40, lambda table, gate_result: gate_results.update({table.name: gate_result}), since).validate(
        [LINES]
    )

    assert gate_results[LINES.name].facts.rows < len(lines)
    assert [(v.gate, v.seen, v.stops) for v in gate_results[LINES.name].verdicts] == [
        ("ingested_at.recent", day, False) for day in seen
    ]


def test_a_table_that_cannot_be_judged_fails_nothing(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = ParquetLake(tmp_path)
    spark.sql("SELECT 1 AS other").write.parquet(str(tmp_path / LINES.name / "0"))
    Samples(spark, lake, 1_000, lambda *_: None).validate([LINES])

    assert f"The sample of {LINES.name} could not be judged: " in capsys.readouterr().err
