"""The gates before a table is published."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs.conform import conform
from jobs.gates import judge
from schemas.derive.fakes import Row
from tests.support.sample import SAMPLE_DAILY

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def row(seller: str | None, day: int = 1, a: str | None = "3", b: str = "1", c: str = "2") -> Row:
    amounts = {"a_kzt": a and Decimal(a), "b_kzt": Decimal(b), "c_kzt": Decimal(c)}
    return {"seller_id": seller, "sold_on": date(2026, 1, day), **amounts}


def frame(spark: SparkSession, *rows: Row) -> DataFrame:
    """Rows in which anything may be null, as a transform may make them."""
    ddl = ", ".join(f"{c} {c.type.spark}" for c in SAMPLE_DAILY.columns)
    made = spark.createDataFrame([tuple(row[c] for c in SAMPLE_DAILY.columns) for row in rows], ddl)
    return conform(made, SAMPLE_DAILY)


def test_good_rows_pass_with_their_facts(spark: SparkSession) -> None:
    found = judge(frame(spark, row("s1"), row("s2", a="3.5", c="2.5")), SAMPLE_DAILY)

    assert (found.stops, found.verdicts) == ("", ())
    assert found.facts.rows == 2
    assert found.facts.money == {"a_kzt": Decimal("6.5"), "b_kzt": Decimal("2"), "c_kzt": Decimal("4.5")}
    assert json.loads(found.as_json()) == {"checked": found.checked, "broken": []}


def test_no_rows_pass(spark: SparkSession) -> None:
    found = judge(frame(spark), SAMPLE_DAILY)

    assert not found.stops
    assert (found.facts.rows, found.facts.checksum, found.facts.money["a_kzt"]) == (0, 0, 0)


def test_a_broken_rule_stops_and_shows_a_row(spark: SparkSession) -> None:
    found = judge(frame(spark, row("s2", a="-3", c="-4"), row("s1", a="-3", c="-4"), row("s3")), SAMPLE_DAILY)

    assert found.stops == (
        "a_kzt must be at least 0; 2 rows do not keep this, for example "
        "seller_id s1, sold_on 2026-01-01, a_kzt -3.0000, b_kzt 1.0000, c_kzt -4.0000"
    )


def test_a_rule_over_several_columns_stops(spark: SparkSession) -> None:
    assert "c_kzt must be a_kzt less b_kzt" in judge(frame(spark, row("s1", c="9")), SAMPLE_DAILY).stops


def test_a_warning_does_not_stop_but_is_in_the_journal(spark: SparkSession) -> None:
    found = judge(frame(spark, row("s1", b="-1", c="4")), SAMPLE_DAILY)

    assert not found.stops
    (broken,) = json.loads(found.as_json())["broken"]
    assert (broken["gate"], broken["rows"], broken["stops"]) == ("b_kzt.at_least(0)", 1, False)


def test_required_values_must_be_there(spark: SparkSession) -> None:
    found = judge(frame(spark, row(None), row("s1", a=None)), SAMPLE_DAILY)

    assert [v.gate for v in found.verdicts] == ["seller_id.required", "a_kzt.required"]


def test_a_key_names_one_row(spark: SparkSession) -> None:
    found = judge(frame(spark, row("s1"), row("s1"), row("s1", day=2)), SAMPLE_DAILY)

    assert found.stops == (
        "seller_id, sold_on must name one row; 1 rows do not keep this, for example "
        "seller_id s1, sold_on 2026-01-01, count 2"
    )


def test_the_checksum_depends_on_the_rows_and_not_on_their_order(spark: SparkSession) -> None:
    one, other = row("s1", a="3", c="2"), row("s2", a="4", c="3")
    swapped = [row("s1", a="4", c="3"), row("s2", a="3", c="2")]
    sums = [
        judge(frame(spark, *rows), SAMPLE_DAILY).facts.checksum
        for rows in ([one, other], [other, one], swapped, [one, one])
    ]

    assert sums[0] == sums[1]
    assert len({*sums}) == 3
