"""Conditions of row rules, evaluated without Spark."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from schemas.contract import contracts
from schemas.derive.conditions import holds, settings
from schemas.derive.fakes import fake_event, fake_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROW: dict[str, Any] = {
    "one": 1, "two": 2, "none": None, "half": 0.5, "amount": Decimal("12.5000"), "name": "tea", "is_x": True,
    "day": date(2026, 1, 2), "at": datetime(2026, 1, 2, 3, tzinfo=UTC), "listed": ["a", "b"],
}  # fmt: skip
CASES: list[tuple[str, bool | None]] = [
    ("one = 1", True), ("one <> 1", False), ("one != two", True), ("one < two AND two <= 2", True),
    ("one > two OR two >= 3", False), ("NOT one = 2", True), ("NOT is_x AND one = 1", False), ("is_x", True),
    ("two = one + 1", True), ("amount = half * 25", True), ("amount / 5 = 2.5", True), ("5 % 2 = one", True),
    ("-one < 0", True), ("(one + 1) * 2 = 4", True), ("name = 'tea'", True), ("name IN ('tea', 'rice')", True),
    ("name NOT IN ('rice')", True), ("none IS NULL", True), ("none IS NOT NULL", False), ("one IS NOT NULL", True),
    ("none > 1", None), ("none > 1 OR one = 1", True), ("none > 1 AND one = 2", False), ("NOT none > 1", None),
    ("none = none", None), ("none IN (1, 2)", None), ("coalesce(none, 7) = 7", True), ("abs(one - two) = 1", True),
    ("length(name) = 3", True), ("size(listed) = 2", True), ("greatest(one, two) = 2", True), ("-none = 1", None),
    ("least(one, two) = 1", True), ("to_date(at) = day", True), ("at > day", True), ("year(day) = 2026", True),
    ("month(at) = 1", True), ("abs(none) = 1", None), ("true", True), ("one = 1 AND FALSE", False),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "answer"), CASES)
def test_a_condition_answers_as_sql_does(condition: str, answer: bool | None) -> None:
    assert holds(condition, ROW) is answer


def test_spark_answers_the_same(spark: SparkSession) -> None:
    row = (
        "SELECT 1L AS one, 2L AS two, CAST(NULL AS bigint) AS none, 0.5D AS half, 'tea' AS name, true AS is_x,"
        " CAST(12.5 AS decimal(18,4)) AS amount, DATE '2026-01-02' AS day,"
        " TIMESTAMP '2026-01-02 03:00:00Z' AS at, array('a', 'b') AS listed"
    )
    query = ", ".join(f"({condition}) AS q{place}" for place, (condition, _) in enumerate(CASES))

    answers = spark.sql(f"SELECT {query} FROM ({row})").collect()[0]

    rows = [(condition, answer) for (condition, _), answer in zip(CASES, answers, strict=True)]
    assert rows == CASES


@pytest.mark.parametrize("condition", ["name LIKE 't%'", "sqrt(one) = 1", "one =", "(one", "one ; two", "one = = two"])
def test_what_is_not_known_is_said(condition: str) -> None:
    with pytest.raises(ValueError, match=r"conditions does not know .* in the condition"):
        holds(condition, ROW)


def test_equalities_that_always_hold_can_be_set() -> None:
    actual = settings("c = a - b AND d > 1 AND e = 2")

    assert [name for name, _ in actual] == ["c", "e"]
    assert actual[0][1]({"a": Decimal(5), "b": 3}) == 2


@pytest.mark.parametrize("condition", ["a = 1 OR b = 2", "NOT a = 1", "a > 1"])
def test_equalities_of_one_branch_are_not(condition: str) -> None:
    assert settings(condition) == []


def test_every_registered_condition_is_known() -> None:
    rules = [(c, rule) for c in contracts() for rule in c.rules]
    assert rules
    for contract, rule in rules:
        row = fake_rows(contract, 1)[0] if contract.kind == "table" else fake_event(contract)
        assert holds(rule.condition, row) is True
