"""Rows of events that hold, and steps that several tables begin with."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.core.inputs import Inputs, SharedSteps
from jobs.core.registry import transforms
from schemas.contract import contract
from schemas.purchases.gold import Hourly, ProductDaily, SellerDaily
from schemas.purchases.silver import PurchaseCorrections
from tests.support.parquet_lake import ParquetLake
from tests.support.purchases import LINES, purchase_lines
from tests.support.tables import table_from_text
from tests.support.transforms import frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CORRECTIONS = contract(PurchaseCorrections)
SELLERS, HOURS, PRODUCTS = (transforms()[contract(t).name] for t in (SellerDaily, Hourly, ProductDaily))


def kept(steps: SharedSteps) -> list[bool]:
    return [frame.is_cached for frame in steps._kept.values()]


def test_a_shared_step_is_kept_until_its_last_table_is_done(spark: SparkSession) -> None:
    sources = [frame(spark, source, []) for source in SELLERS.contract.built_from]
    steps = SharedSteps([SELLERS.contract, HOURS.contract, PRODUCTS.contract])
    steps.build(SELLERS, sources)
    steps.build(PRODUCTS, sources)
    assert kept(steps) == [True]
    steps.done(SELLERS)
    steps.done(PRODUCTS)
    assert kept(steps) == [True]
    steps.build(HOURS, sources)
    steps.done(HOURS)
    assert kept(steps) == []


def test_a_step_that_one_table_has_is_not_kept(spark: SparkSession) -> None:
    steps = SharedSteps([SELLERS.contract])
    steps.build(SELLERS, [frame(spark, source, []) for source in SELLERS.contract.built_from])

    assert kept(steps) == []


def corrected(spark: SparkSession, lake: ParquetLake, drawing: str) -> None:
    rows = table_from_text(CORRECTIONS, drawing)
    hashed = [row | {"event_hash": zlib.crc32(row["event_id"].encode())} for row in rows]
    lake.write(frame(spark, CORRECTIONS, hashed), CORRECTIONS.name, where="", note="test")


def test_what_is_built_from_a_table_gets_the_events_that_hold(spark: SparkSession, tmp_path: Path) -> None:
    """Of a purchase that was corrected into another month and currency only the last version; and a correction that
    the lake's rows do not go up to yet corrects nothing."""
    lake = ParquetLake(tmp_path)
    lines = purchase_lines("""
        | event_id | line_no | batch_id | purchased_at     | currency_code | quantity | line_amount |
        | a1       | 0       | 3        | 2026-01-31 10:00 | KZT           | 1        | 100         |
        | a1       | 1       | 3        | 2026-01-31 10:00 | KZT           | 1        | 1           |
        | a2       | 0       | 4        | 2026-02-01 10:00 | USD           | 1        | 2           |
        | b1       | 0       | 4        | 2026-01-31 11:00 | KZT           | 1        | 30          |
    """)
    lake.write(frame(spark, LINES, lines), LINES.name, where="", note="test")
    assert Inputs(spark, lake).count(LINES) == 4

    corrected(spark, lake, """
        | event_id | superseded_by_event_id | batch_id |
        | a1       | a2                     | 4        |
        | b1       | b2                     | 5        |
    """)  # fmt: skip
    inputs = Inputs(spark, lake)
    held = inputs.frame(LINES)
    assert sorted(row["event_id"] for row in held.collect()) == ["a2", "b1"]
    assert held.columns == [str(c) for c in LINES.columns]
    assert inputs.count(LINES) == 2


def test_a_batch_that_the_stream_has_not_finished_is_not_read(spark: SparkSession, tmp_path: Path) -> None:
    """It died between the rows and what they supersede: both versions would count."""
    lake = ParquetLake(tmp_path)
    lines = purchase_lines("""
        | event_id | line_no | batch_id | purchased_at     | quantity | line_amount |
        | a1       | 0       | 3        | 2026-01-31 10:00 | 1        | 100         |
        | a2       | 0       | 4        | 2026-02-01 10:00 | 1        | 2           |
    """)
    lake.write(frame(spark, LINES, lines), LINES.name, where="", note="test")
    corrected(spark, lake, "| event_id | superseded_by_event_id | batch_id |\n| a0 | a1 | 3 |")
    lake.finished_batches[CORRECTIONS.name] = 3
    assert [row["event_id"] for row in Inputs(spark, lake, 0).frame(LINES).collect()] == ["a1"]

    lake.finished_batches[CORRECTIONS.name] = 4
    corrected(spark, lake, "| event_id | superseded_by_event_id | batch_id |\n| a1 | a2 | 4 |")
    assert [row["event_id"] for row in Inputs(spark, lake, 0).frame(LINES).collect()] == ["a2"]
