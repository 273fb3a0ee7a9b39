"""Days that a correction changed beside the one that is built."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.core.moved_days import advice, other_days
from schemas.contract import contract
from schemas.purchases.silver import PurchaseCorrections, PurchaseLines
from tests.support.parquet_lake import ParquetLake
from tests.support.tables import table_from_text
from tests.support.transforms import frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LINES, CORRECTIONS = contract(PurchaseLines), contract(PurchaseCorrections)
JANUARY, FEBRUARY, MARCH = date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 1)


def test_a_day_is_told_where_its_purchases_went_and_came_from(spark: SparkSession, tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path)
    assert other_days(spark, lake, [LINES], JANUARY) == []
    rows = table_from_text(CORRECTIONS, """
        | event_id | sold_on    | superseded_by_sold_on |
        | a        | 2026-01-31 | 2026-03-01            |
        | b        | 2026-02-01 | 2026-01-31            |
        | c        | 2026-01-31 | 2026-01-31            |
    """)  # fmt: skip
    lake.write(frame(spark, CORRECTIONS, rows), CORRECTIONS.name, where="", note="test")

    assert other_days(spark, lake, [LINES], JANUARY) == [FEBRUARY, MARCH]
    assert other_days(spark, lake, [LINES], MARCH) == [JANUARY]


def test_the_days_are_named_and_what_to_do() -> None:
    assert advice(JANUARY, []) == ""
    assert "between 2026-01-31 and 2026-02-01, 2026-03-01. Build these days" in advice(JANUARY, [FEBRUARY, MARCH])
    assert "2026-02-07 and 2 more." in advice(JANUARY, [date(2026, 2, n) for n in range(1, 10)])
