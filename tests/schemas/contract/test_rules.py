"""Each rule says one thing in three languages: Spark's, Python's and JSON Schema's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from schemas.contract import rules
from schemas.contract.rules import STOP, OnFail, Rule, quoted
from tests.support.json_schema_facets import allows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PLUS_5 = timezone(timedelta(hours=5))

# rule, Spark type of the value, values that keep it, values that break it
CASES: list[tuple[Rule, str, list[Any], list[Any]]] = [
    (rules.not_empty(), "string", ["a", " a ", "ә", "0"], ["", " ", "\t\n", "\u00a0"]),
    (rules.max_length(3), "string", ["", "abc", "әәә", "😀😀😀"], ["abcd", "😀😀😀😀"]),
    (rules.at_least(0), "bigint", [0, 1], [-1]),
    (rules.at_least(0.5), "decimal(18,4)", [Decimal("0.5"), Decimal("9")], [Decimal("0.4999")]),
    (rules.at_least(-100_000_000), "decimal(18,4)", [Decimal(-100_000_000)], [Decimal("-100000000.0001")]),
    (rules.at_most(10), "bigint", [10, -3], [11]),
    (rules.at_most(10), "double", [10.0, 9.99], [10.01, float("inf")]),
    (rules.not_zero(), "bigint", [1, -1], [0]),
    (rules.one_of(("red", "it's"), "a colour"), "string", ["red", "it's"], ["Red", "", "blue"]),
    (rules.matches("[0-9]{3}", "three digits"), "string", ["012"], ["12", "0123", "012\n", "a012", "०१२"]),
    (rules.matches(r"a\.b|c", "a.b or c"), "string", ["a.b", "c"], ["axb", "a.b ", "ac", ""]),
    (rules.since("2000-01-01"), "timestamp",
     [datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, 5, tzinfo=PLUS_5), datetime(2026, 5, 6, 7, tzinfo=UTC)],
     [datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2000, 1, 1, 4, 59, tzinfo=PLUS_5)]),
    (rules.since("2000-01-01"), "date", [date(2000, 1, 1)], [date(1999, 12, 31)]),
    (rules.min_items(1), "array<string>", [["a"], ["a", "b"]], [[]]),
    (rules.max_items(2), "array<string>", [[], ["a", "b"]], [["a", "b", "c"]]),
]  # fmt: skip
NAMED = [pytest.param(*case, id=f"{case[0].name}-{case[1]}") for case in CASES]


def test_every_rule_has_a_case() -> None:
    # not_ahead_of and worth_at_most look at more than one value, and have tests of their own.
    tested = {case[0].name.partition("(")[0] for case in CASES} | {"not_ahead_of", "worth_at_most"}
    assert every_rule() - tested == set(), "add the rule to CASES"


def every_rule() -> set[str]:
    """The names of the functions that return a rule. A rule bears its function's name."""
    return {name for name, rule in vars(rules).items() if getattr(rule, "__annotations__", {}).get("return") == "Rule"}


@pytest.mark.parametrize(("rule", "spark_type", "kept", "broken"), NAMED)
def test_python_tells_kept_from_broken(rule: Rule, spark_type: str, kept: list[Any], broken: list[Any]) -> None:
    assert spark_type
    assert [rule.holds(value) for value in kept] == [True] * len(kept)
    assert [rule.holds(value) for value in broken] == [False] * len(broken)


@pytest.mark.parametrize(("rule", "spark_type", "kept", "broken"), NAMED)
def test_json_schema_tells_kept_from_broken(rule: Rule, spark_type: str, kept: list[Any], broken: list[Any]) -> None:
    assert all(allows(rule.json, value) for value in kept)
    if rule.json:
        assert not any(allows(rule.json, value) for value in broken)
    else:
        assert spark_type in ("timestamp", "date"), "JSON Schema has no bound for times only"


def test_spark_tells_kept_from_broken(spark: SparkSession) -> None:
    """All cases in one question: each column is a value, each answer the rule's."""
    questions: list[str] = []
    expected: list[tuple[str, Any, bool]] = []
    for rule, spark_type, kept, broken in CASES:
        for value in (*kept, *broken):
            questions.append(f"{rule.spark(f'CAST({literal(value)} AS {spark_type})')} AS q{len(questions)}")
            expected.append((rule.name, value, value in kept))

    answers = spark.sql(f"SELECT {', '.join(questions)}").collect()[0]

    assert [(name, value, answer) for (name, value, _), answer in zip(expected, answers, strict=True)] == expected


def test_not_ahead_of_compares_with_another_instant(spark: SparkSession) -> None:
    rule = rules.not_ahead_of("arrived", 24)
    rows = "VALUES (TIMESTAMP '2026-01-02 00:00:00Z'), (TIMESTAMP '2026-01-02 00:00:01Z') AS t(at)"

    query = f"SELECT {rule.spark('at')} FROM (SELECT at, TIMESTAMP '2026-01-01 00:00:00Z' AS arrived FROM {rows})"

    assert [row[0] for row in spark.sql(query).collect()] == [True, False]
    assert rule.sentence == "must not be more than 24 hours ahead of arrived"


def test_the_worth_of_a_list_is_the_same_in_spark(spark: SparkSession) -> None:
    """Sums of binary fractions too: the same steps in the same order."""
    rule = rules.worth_at_most(10, "n", "price")
    lists = [[], [(5, "2")], [(-5, "2.0001")], [(1, "0.1")] * 100, [(1, "0.1")] * 101, [(3, "3.3333"), (-1, "0.0001")],
             [(5, "1.5"), (-5, "0.5")], [(5, "1.5"), (-5, "0.5001")]]  # fmt: skip
    row = "named_struct('n', {}L, 'price', CAST('{}' AS decimal(18,4)))"
    typed = [f"array({', '.join(row.format(*each) for each in some)})" if some else
             "CAST(array() AS array<struct<n: bigint, price: decimal(18,4)>>)" for some in lists]  # fmt: skip

    answers = spark.sql("SELECT " + ", ".join(f"{rule.spark(x)} AS q{i}" for i, x in enumerate(typed))).collect()[0]

    kept = [rule.holds([{"n": n, "price": Decimal(price)} for n, price in some]) for some in lists]
    assert kept == list(answers)
    assert (kept[0], kept[1], kept[2], kept[6], kept[7]) == (True, True, False, True, False)


def test_sentences_are_for_people() -> None:
    assert rules.at_most(100_000_000).sentence == "must be at most 100,000,000"
    assert rules.max_length(1_000).sentence == "must have at most 1,000 characters"
    assert rules.not_zero().sentence == "must not be zero"
    assert all(case[0].sentence.startswith("must ") for case in CASES)


def test_a_quoted_text_is_one_literal(spark: SparkSession) -> None:
    odd = "it's a \\ back\\nslash"

    assert spark.sql(f"SELECT {quoted(odd)}").collect()[0][0] == odd
    assert quoted(7) == "7"


def test_a_rules_usual_outcome_is_to_reject() -> None:
    assert {case[0].on_fail for case in CASES} == {OnFail.REJECT}
    assert STOP.value == "stop"


def literal(value: Any) -> str:
    """A value in Spark SQL."""
    if isinstance(value, list):
        return f"array({', '.join(literal(v) for v in value)})" if value else "CAST(array() AS array<string>)"
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat()}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return quoted(str(value)) if isinstance(value, float | Decimal) else quoted(value)
