"""What tells in two systems whether they hold the same rows: a count, a checksum, exact sums of money.

The checksum is the sum of a small whole number a row. It does not depend on the order of the rows, Spark and ClickHouse
come to the same one, and it costs neither of them a text: each value becomes a BIGINT, the BIGINTs are shifted by the
place of their column and folded by XOR, and low and high half by XOR again, of which 31 bits are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from schemas.contract import Column, Contract
from schemas.derive.spark import ident

# Floats are compared to the sixth digit after the point and within what a BIGINT and a double both hold exactly.
_SPARK: dict[str, str] = {
    "DAY": "CAST(unix_date({x}) AS BIGINT)",
    "INSTANT": "unix_micros({x})",
    "COUNT": "{x}",
    "MONEY": "CAST({x} * 10000 AS BIGINT)",
    "SUM": "crc32(CAST(CAST({x} * 10000 AS DECIMAL(38, 0)) AS STRING))",
    "RATE": "CAST({x} * 1000000000000 AS BIGINT)",
    "NUMBER": "CAST(floor(greatest(least(if(isnan({x}), 0D, {x}) * 1e6D, 9e15D), -9e15D)) AS BIGINT)",
    "FLAG": "CAST({x} AS BIGINT)",
}
_CLICKHOUSE: dict[str, str] = {
    "DAY": "toInt64({x})",
    "INSTANT": "toUnixTimestamp64Micro({x})",
    "COUNT": "{x}",
    "MONEY": "reinterpretAsInt64({x})",
    "SUM": "toInt64(CRC32(toString(reinterpretAsInt128({x}))))",
    "RATE": "reinterpretAsInt64({x})",
    "NUMBER": "toInt64(floor(greatest(least(if(isNaN({x}), 0., {x}) * 1e6, 9e15), -9e15)))",
    "FLAG": "toInt64({x})",
}
_NULL = -1


@dataclass(frozen=True)
class Facts:
    """What is compared of a table. `money` has each money column's sum."""

    rows: int
    checksum: int
    money: dict[str, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, contract: Contract, answer: Sequence[Any]) -> Facts:
        """From an answer to `spark_facts` or `clickhouse_facts`; sums over no rows are null."""
        rows, checksum, *sums = answer
        money = {name: Decimal(total or 0) for name, total in zip(_money(contract), sums, strict=True)}
        return cls(int(rows), int(checksum or 0), money)

    def difference(self, other: Facts) -> str:
        """The first thing in which two tables differ, in words; empty when they are the same."""
        if self.rows != other.rows:
            return f"{self.rows:,} rows against {other.rows:,}"
        for name, total in self.money.items():
            if total != other.money[name]:
                return f"{total:,} against {other.money[name]:,} in the sum of {name}"
        return f"checksum {self.checksum} against {other.checksum}" if self.checksum != other.checksum else ""


def spark_facts(contract: Contract) -> list[str]:
    """Aggregates for Spark, in the order of `Facts.of`."""
    row = _folded(
        contract.serving_columns, _spark_value, fold="{a} ^ {b}", shift="shiftleft({x}, {n})",
        low="(({x}) ^ shiftrightunsigned({x}, 32)) & 2147483647",
    )  # fmt: skip
    return ["count(*)", f"sum({row})", *(f"sum({ident(c)})" for c in _money(contract))]


def clickhouse_facts(contract: Contract) -> list[str]:
    """Aggregates for ClickHouse, in the order of `Facts.of`."""
    row = clickhouse_row(contract.serving_columns)
    return ["count()", f"sum({row})", *(f"sum({ident(c)})" for c in _money(contract))]


def clickhouse_row(columns: Sequence[Column]) -> str:
    """The small whole number of a row, over some of its columns."""
    return _folded(
        columns, _clickhouse_value, fold="bitXor({a}, {b})", shift="bitShiftLeft({x}, {n})",
        low="bitAnd(bitXor({x}, reinterpretAsInt64(bitShiftRight(reinterpretAsUInt64({x}), 32))), 2147483647)",
    )  # fmt: skip


def _money(contract: Contract) -> list[str]:
    return [c.name for c in contract.serving_columns if c.type.name in ("MONEY", "SUM")]


def _folded(columns: Sequence[Column], value: Callable[[Column], str], *, fold: str, shift: str, low: str) -> str:
    row = ""
    for place, column in enumerate(columns):
        # Shifted so that equal values in two columns do not cancel each other.
        shifted = shift.format(x=value(column), n=place * 3 % 29)
        row = fold.format(a=row, b=shifted) if row else shifted
    return low.format(x=row)


def _spark_value(column: Column) -> str:
    x = _SPARK.get(column.type.name, "crc32({x})").format(x=ident(column))
    # Not coalesce: greatest and least pass over a null, so a number's value would not be null.
    return f"if(isnull({ident(column)}), {_NULL}L, {x})" if column.optional else x


def _clickhouse_value(column: Column) -> str:
    plain = f"assumeNotNull({ident(column)})" if column.optional else ident(column)
    x = _CLICKHOUSE.get(column.type.name, "toInt64(CRC32(toString({x})))").format(x=plain)
    return f"if(isNull({ident(column)}), toInt64({_NULL}), {x})" if column.optional else x
