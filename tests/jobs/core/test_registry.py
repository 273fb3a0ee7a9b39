"""Everything that is registered: each gold table has one transform, in its place, with a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conf import REPOSITORY
from jobs.core.registry import builds, transforms
from schemas.contract import Contract, tables
from schemas.purchases.gold import SellerDaily
from tests.support.transforms import build

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GOLD = [pytest.param(t, id=t.name) for t in tables() if t.refresh == "nightly"]


def module_of(table: Contract) -> str:
    """Where a table's transform stands: gold.purchases_seller_daily is jobs/purchases/seller_daily.py."""
    return f"{table.domain}/{table.table.removeprefix(table.domain + '_')}"


@pytest.mark.parametrize("table", GOLD)
def test_a_gold_table_has_a_transform_in_the_module_of_its_name(table: Contract) -> None:
    assert table.name in transforms(), f"write jobs/{module_of(table)}.py with @builds({table.python.__name__})"  # type: ignore[union-attr]
    assert transforms()[table.name].build.__module__ == f"jobs.{module_of(table).replace('/', '.')}"


@pytest.mark.parametrize("table", GOLD)
def test_a_gold_table_has_a_case(table: Contract) -> None:
    folder, _, name = module_of(table).partition("/")
    case = REPOSITORY / "tests" / "jobs" / folder / f"test_{name}.py"

    assert case.exists(), f"{case.relative_to(REPOSITORY)} is missing"
    text = case.read_text(encoding="utf-8")
    assert table.python is not None
    assert f"build(spark, {table.python.__name__}" in text or f"assert_builds(spark, {table.python.__name__}" in text


@pytest.mark.parametrize("table", GOLD)
def test_nothing_makes_nothing(spark: SparkSession, table: Contract) -> None:
    assert table.python is not None
    assert build(spark, table.python, *([] for _ in [*table.built_from, *[table] * table.keeps_versions])) == []


def test_only_nightly_tables_are_built() -> None:
    assert {transform.contract.refresh for transform in transforms().values()} == {"nightly"}


def test_a_table_is_not_built_twice() -> None:
    transforms()
    with pytest.raises(ValueError, match=r"gold\.purchases_seller_daily is built twice"):
        builds(SellerDaily)(lambda lines: lines)
