"""Cases of transforms: small tables in text go in, small tables in text are expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING

from jobs.core.conform import conform
from jobs.core.registry import transforms
from schemas.contract import Contract, contract
from schemas.derive.fakes import Row
from schemas.derive.spark import schema_ddl
from tests.support.tables import rows_from_text, table_from_text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Input = str | Sequence[Row]


def frame(spark: SparkSession, table: Contract, given: Input) -> DataFrame:
    """A table of the contract, from text or from whole rows."""
    rows = table_from_text(table, given) if isinstance(given, str) else given
    return spark.createDataFrame([tuple(row[c] for c in table.columns) for row in rows], schema_ddl(table))


def build(spark: SparkSession, table: type, *inputs: Input) -> list[Row]:
    """What the table's transform makes of its inputs (in the order of `built_from`), conformed, sorted by key.

    A table that keeps versions is its own first input. Tables at the end for which nothing is given are empty.
    """
    declared = contract(table)
    sources = [declared, *declared.built_from] if declared.keeps_versions else declared.built_from
    whole = [*inputs, *[[]] * (len(sources) - len(inputs))]
    frames = [frame(spark, source, given) for source, given in zip(sources, whole, strict=True)]
    rows = conform(transforms()[declared.name].over(*frames), declared).collect()
    return sorted((row.asDict() for row in rows), key=lambda row: [row[c] for c in declared.key])


def assert_builds(spark: SparkSession, table: type, inputs: Sequence[Input], *expected: str) -> None:
    """The transform makes the expected rows. A drawing shows the columns to compare; wide tables take several."""
    declared = contract(table)
    rows = build(spark, table, *inputs)
    for drawing in expected:
        wanted = rows_from_text(declared, drawing)
        drawn = [c for c in declared.columns if c in wanted[0]] if wanted else list(declared.key)
        expect = sorted(({c: row[c] for c in drawn} for row in wanted), key=lambda row: _place(declared, row))
        actual = [{c: _plain(row[c]) for c in drawn} for row in rows]
        wrong = [f"expected {e}\n   found {f}" for e, f in zip_longest(expect, actual) if e != f]
        assert not wrong, f"{declared.name}:\n" + "\n".join(wrong)


def _place(table: Contract, row: Mapping[str, object]) -> list[object]:
    return [row[c] for c in table.key if c in row]


def _plain(value: object) -> object:
    """Spark hands out instants in the machine's own zone and without saying so."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
