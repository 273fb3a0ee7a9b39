"""What is accepted can be added up: purchases of the greatest worth that the door takes, more than a BIGINT holds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from jobs.core.fingerprint import spark_facts
from jobs.purchases.sales import rounded_mean, total, whole_sum
from schemas.contract import contract
from schemas.purchases import gold
from schemas.purchases.events import MOST_WORTH
from tests.support.purchases import purchase_lines
from tests.support.transforms import build, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

COUNT = 1_500
NAMES = "event_id line_no purchased_at seller_id product_id currency_code customer_id quantity line_amount"
HEAD = f"| {NAMES.replace(' ', ' | ')} |"
LINE = f"| 0 | 2026-01-05 09:00 | s1 | p1 | KZT | c1 | 1 | {MOST_WORTH} |"
LINES = purchase_lines("\n".join([HEAD, *(f"| e{number} {LINE}" for number in range(COUNT))]))
WORTH = Decimal(MOST_WORTH * COUNT)
FROM_LINES = (
    gold.SellerDaily, gold.ProductDaily, gold.CategoryDaily, gold.Hourly, gold.Customers, gold.CustomerDaily,
    gold.BasketDaily, gold.SellerPeriods,
)  # fmt: skip


@pytest.mark.parametrize("table", FROM_LINES, ids=lambda table: table.__name__)
def test_the_largest_purchases_are_added_up(spark: SparkSession, table: type) -> None:
    assert MOST_WORTH * 10_000 * COUNT > 1 << 63

    rows = build(spark, table, LINES)

    assert {row["sales_amount"] for row in rows} == {WORTH}
    assert {row.get("revenue_amount", WORTH) for row in rows} == {WORTH}
    assert {row.get("revenue_base_amount", WORTH) for row in rows} == {WORTH}
    assert {row.get("mean_amount", MOST_WORTH) for row in rows} == {Decimal(MOST_WORTH)}
    # What the push compares can be counted too.
    declared = contract(table)
    facts: Any = frame(spark, declared, rows).selectExpr(*spark_facts(declared)).collect()[0]
    assert WORTH * len(rows) in tuple(facts)


def test_tables_of_tables_add_up_too(spark: SparkSession) -> None:
    days = build(spark, gold.ProductDaily, LINES)
    assert [row["revenue_amount"] for row in build(spark, gold.Products, days, LINES)] == [WORTH]
    sellers = build(spark, gold.SellerDaily, LINES)
    assert [row["revenue_amount"] for row in build(spark, gold.RevenueAnomalies, sellers)] == [WORTH]


def test_sums_of_halves_are_exact(spark: SparkSession) -> None:
    units = [-(10**16), -1, 0, 1, (1 << 30) - 1, 1 << 30, 10**16, 123_456_789_012_345]
    rows = spark.createDataFrame([(u,) for u in units], "u bigint")

    (actual,) = rows.agg(total(whole_sum("u")).alias("sum"), whole_sum("u").alias("units")).collect()
    assert (actual["units"], actual["sum"]) == (sum(units), Decimal(sum(units)).scaleb(-4))
    (empty,) = rows.where("u > 10").where("u < 5").agg(total(whole_sum("u")).alias("sum")).collect()
    assert empty["sum"] is None
    (mean,) = rows.where("u > 0").agg(rounded_mean("u").alias("mean")).collect()
    positive = [u for u in units if u > 0]
    assert mean["mean"] == (2 * sum(positive) + len(positive)) // (2 * len(positive))
