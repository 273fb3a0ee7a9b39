"""The checksum, beside one in plain Python; that ClickHouse comes to the same is asked of it in tests/services."""

from __future__ import annotations

import zlib
from datetime import UTC, date, datetime
from decimal import Decimal
from math import floor, inf, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobs.core.fingerprint import Facts, clickhouse_facts, spark_facts
from schemas.contract import Contract, contract
from schemas.derive.clickhouse import create_database, create_table
from schemas.derive.fakes import Row, fake_rows
from schemas.purchases.gold import BasketDaily, Products, RevenueAnomalies, SellerPeriods
from tests.support.local_clickhouse import LocalClickHouse, insert
from tests.support.sample_contracts import SAMPLES
from tests.support.transforms import frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GOLD = (contract(BasketDaily), contract(Products), contract(RevenueAnomalies), contract(SellerPeriods))


def whole_number(kind: str, value: Any) -> int:
    """A value as the 64 bits that are folded."""
    if value is None:
        return -1
    if kind == "DAY":
        return (value - date(1970, 1, 1)).days
    if kind == "INSTANT":
        return round((value.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 10**6)
    if kind == "MONEY":
        return int(value * 10_000)
    if kind == "SUM":
        return zlib.crc32(str(int(value * 10_000)).encode())
    if kind == "NUMBER":
        return floor(max(min(0.0 if value != value else value * 1e6, 9e15), -9e15))
    return int(value) if kind in ("COUNT", "FLAG") else zlib.crc32(value.encode())


def by_hand(table: Contract, rows: list[Row]) -> int:
    total = 0
    for row in rows:
        folded = 0
        for place, column in enumerate(table.serving_columns):
            folded ^= whole_number(column.type.name, row[column]) << place * 3 % 29
        folded &= 2**64 - 1
        total += (folded ^ folded >> 32) & 0x7FFFFFFF
    return total


@pytest.mark.parametrize("table", GOLD, ids=lambda t: t.name)
def test_spark_comes_to_what_is_calculated_by_hand(spark: SparkSession, table: Contract) -> None:
    rows = fake_rows(table, 40)
    (answer,) = frame(spark, table, rows).selectExpr(*spark_facts(table)).collect()
    actual = Facts.of(table, answer)

    assert actual.rows == 40
    assert actual.checksum == by_hand(table, rows)
    assert all(actual.money[c] == sum((row[c] or Decimal(0)) for row in rows) for c in table.money_columns)


@pytest.mark.parametrize("table", GOLD, ids=lambda t: t.name)
def test_what_is_not_there_counts_alike_in_every_column(spark: SparkSession, table: Contract) -> None:
    rows = [{**row, **{c.name: None for c in table.columns if c.optional}} for row in fake_rows(table, 2)]
    (answer,) = frame(spark, table, rows).selectExpr(*spark_facts(table)).collect()

    assert answer[1] == by_hand(table, rows)


@pytest.mark.parametrize("score", [nan, inf, -inf, -0.0, 1e300, -123.456789123])
def test_floats_of_every_kind_have_a_whole_number(spark: SparkSession, score: float) -> None:
    table = contract(RevenueAnomalies)
    rows = [{**row, "score": score} for row in fake_rows(table, 1)]
    (answer,) = frame(spark, table, rows).selectExpr(*spark_facts(table)).collect()

    assert answer[1] == by_hand(table, rows)


def test_both_dialects_ask_for_the_same_columns_in_the_same_order() -> None:
    for table in (*GOLD, SAMPLES):
        assert len(spark_facts(table)) == len(clickhouse_facts(table))
        assert "value" not in clickhouse_facts(SAMPLES)[1], "a column that is not served"


def test_the_first_difference_is_told() -> None:
    one = Facts(3, 5, {"a_kzt": Decimal(1)})

    assert one.difference(one) == ""
    assert one.difference(Facts(4, 5, {"a_kzt": Decimal(1)})) == "3 rows against 4"
    assert one.difference(Facts(3, 5, {"a_kzt": Decimal(2)})) == "1 against 2 in the sum of a_kzt"
    assert one.difference(Facts(3, 6, {"a_kzt": Decimal(1)})) == "checksum 5 against 6"


def test_clickhouse_comes_to_what_is_calculated_by_hand_of_sums_of_any_size(tmp_path: Path) -> None:
    table = contract(Products)
    amounts = [Decimal("-0.0001"), Decimal(0), None, Decimal("99999999999999999999.5")]
    rows = [
        {**row, "revenue_base_amount": value} for row, value in zip(fake_rows(table, 4), amounts, strict=True)
    ]  # fmt: skip
    query = f"SELECT {', '.join(f'{each} AS c{n}' for n, each in enumerate(clickhouse_facts(table)))} FROM {table.name}"
    result = [create_database("gold"), create_table(table), insert(table, rows)]
    ((local_click_house,),) = LocalClickHouse(tmp_path).ask(query, before=result)

    assert (int(local_click_house["c0"]), int(local_click_house["c1"])) == (4, by_hand(table, rows))
