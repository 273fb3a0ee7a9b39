"""Contracts and live Delta tables on the real lake: what follows by itself, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from conf import Settings
from schemas.contract import Contract, col, contract, table
from schemas.contract.types import CODE, COUNT, ID, TEXT
from schemas.derive.live_tables import ContractMismatch, apply_delta
from tests.support.delta import delta_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.services, pytest.mark.timeout(300), pytest.mark.beside]

Lake = tuple["SparkSession", Settings]


@pytest.fixture(scope="module")
def lake() -> Iterator[Lake]:
    with delta_session() as result:
        yield result


def declared(name: str, **more: str) -> Contract:
    """A table of a key, a number and what else is given."""
    columns = {"a_id": col(ID, "A key.", key=True), "count": col(COUNT, "How many.")}
    return contract(table(f"staging.{name}")(type("Made", (), {"__doc__": "One row per test.", **columns, **more})))


def test_a_new_optional_column_reaches_a_table_with_rows(lake: Lake) -> None:
    spark, settings = lake
    path = settings.table_path("staging.grown")
    assert apply_delta(spark, declared("grown"), path) == ["Made the Delta table staging.grown."]
    spark.sql(f"INSERT INTO delta.`{path}` VALUES ('a', 1)")
    wider = declared("grown", colour_code=col(CODE, "It's new.", optional=True))

    (done,) = apply_delta(spark, wider, path)

    assert "colour_code" in done
    assert "staging.grown" in done
    assert [tuple(row) for row in spark.read.format("delta").load(path).collect()] == [("a", 1, None)]
    assert apply_delta(spark, wider, path) == [], "nothing is left to do"


@pytest.mark.parametrize(
    ("name", "more", "column"),
    [
        ("retyped", {"count": col(TEXT, "A text.")}, "count"),
        ("required", {"needed_code": col(CODE, "It must be there.")}, "needed_code"),
    ],
)
def test_any_other_change_is_refused_by_name_and_nothing_is_altered(
    lake: Lake, name: str, more: dict[str, str], column: str
) -> None:
    spark, settings = lake
    path = settings.table_path(f"staging.{name}")
    apply_delta(spark, declared(name), path)

    with pytest.raises(ContractMismatch) as caught:
        apply_delta(spark, declared(name, **more), path)

    assert f"staging.{name}" in str(caught.value)
    assert f"column {column}" in str(caught.value)
    assert apply_delta(spark, declared(name), path) == []
