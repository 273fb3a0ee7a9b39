"""The gates before a table is published: its contract's rules, its required values and its key, over the finished rows.

What is asked of the rows is one aggregation, whatever the number of rules; a row that breaks a rule is looked up only
where there is one to show.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from jobs.fingerprint import Facts, spark_facts
from schemas.contract import Contract
from schemas.derive.spark import ident
from schemas.rules import OnFail

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Gate:
    """`broken` is true, in Spark's SQL, for a row that does not pass."""

    name: str
    sentence: str
    broken: str
    on_fail: OnFail


@dataclass(frozen=True)
class Verdict:
    """A gate that rows did not pass."""

    gate: str
    sentence: str
    rows: int
    example: str
    stops: bool

    def __str__(self) -> str:
        return f"{self.sentence}; {self.rows:,} rows do not keep this, for example {self.example}"


@dataclass(frozen=True)
class Judgement:
    """The finished rows' facts, and what was found at the gates. `checked` counts the gates."""

    facts: Facts
    checked: int
    verdicts: tuple[Verdict, ...]

    @property
    def stops(self) -> str:
        """Why the table is not to be published; empty where nothing stands against it."""
        return "; ".join(str(verdict) for verdict in self.verdicts if verdict.stops)

    def as_json(self) -> str:
        return json.dumps({"checked": self.checked, "broken": [asdict(v) for v in self.verdicts]}, ensure_ascii=False)


def gates(contract: Contract, nullable: Sequence[str]) -> list[Gate]:
    """The gates of a table, given the columns that might hold nulls. A rule speaks of values that are present."""
    found = [
        Gate(f"{c}.required", f"{c} must not be empty", f"{ident(c)} IS NULL", OnFail.STOP)
        for c in contract.columns
        if not c.optional and c in nullable
    ]
    for column in contract.columns:
        for rule in column.rules:
            broken = f"coalesce(NOT ({rule.spark(ident(column))}), false)"
            found.append(Gate(f"{column}.{rule.name}", f"{column} {rule.sentence}", broken, rule.on_fail))
    for whole in contract.rules:
        broken = f"coalesce(NOT ({whole.condition}), false)"
        found.append(Gate(whole.name, whole.sentence, broken, whole.on_fail))
    return found


def judge(rows: DataFrame, contract: Contract) -> Judgement:
    """Judge the finished rows. They are read at least twice, so keep them in memory."""
    asked = gates(contract, [f.name for f in rows.schema.fields if f.nullable])
    facts = spark_facts(contract)
    counts = [f"count_if({gate.broken})" for gate in asked]
    answer = _first(rows.selectExpr(*(f"{sql} AS `{n}`" for n, sql in enumerate([*facts, *counts]))))
    found = [
        _verdict(rows, contract, gate, count)
        for gate, count in zip(asked, answer[len(facts) :], strict=True)
        if count
    ]  # fmt: skip
    stand = Facts.of(contract, answer[: len(facts)])
    twice = _keys_twice(rows, contract, stand.rows)
    return Judgement(stand, len(asked) + 1, (*found, *twice))


def _first(rows: DataFrame) -> Sequence[Any]:
    return rows.collect()[0]


def _verdict(rows: DataFrame, contract: Contract, gate: Gate, count: int) -> Verdict:
    example = _first(rows.where(gate.broken).orderBy(*contract.key).limit(1))
    return Verdict(gate.name, gate.sentence, count, _shown(example.asDict()), gate.on_fail is not OnFail.WARN)  # type: ignore[attr-defined]


def _keys_twice(rows: DataFrame, contract: Contract, count: int) -> list[Verdict]:
    """Different hashes mean different keys, and hashes are cheap to count; where two are the same the keys decide."""
    keys = ", ".join(map(ident, contract.key))
    (different,) = _first(rows.selectExpr(f"xxhash64({keys}) AS h").distinct().selectExpr("count(*)"))
    if different == count:
        return []
    twice = rows.groupBy(*contract.key).count().where("count > 1")
    (keys_twice,) = _first(twice.selectExpr("count(*)"))
    if not keys_twice:
        return []
    example = _first(twice.orderBy(*contract.key).limit(1)).asDict()  # type: ignore[attr-defined]
    sentence = f"{', '.join(contract.key)} must name one row"
    return [Verdict("key", sentence, keys_twice, _shown(example), stops=True)]


def _shown(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)[:300]
