"""Everything that is registered: each gold table has one transform, in its place, with a case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import jobs
from conf import REPOSITORY
from jobs.core import registry
from jobs.core.errors import Failed
from jobs.core.registry import builds, home, import_domains, transforms, unbuilt
from schemas.contract import Contract, tables
from schemas.purchases.gold import SellerDaily
from schemas.purchases.silver import PurchaseLines
from tests.support.transforms import build

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GOLD = [pytest.param(t, id=t.name) for t in tables() if t.refresh == "nightly"]


def module_of(table: Contract) -> str:
    """Where a table's transform stands: gold.purchases_seller_daily is jobs/purchases/seller_daily.py."""
    return home(table).removeprefix("jobs/").removesuffix(".py")


@pytest.mark.parametrize("table", GOLD)
def test_a_gold_table_has_a_transform_in_the_module_of_its_name(table: Contract) -> None:
    assert table.name in transforms(), f"write jobs/{module_of(table)}.py with @builds({table.python.__name__})"  # type: ignore[union-attr]
    assert transforms()[table.name].build.__module__ == f"jobs.{module_of(table).replace('/', '.')}"


@pytest.mark.parametrize("table", GOLD)
def test_a_gold_table_has_a_case(table: Contract) -> None:
    folder, _, name = module_of(table).rpartition("/")
    case = REPOSITORY / "tests" / "jobs" / folder / f"test_{name}.py"

    assert case.exists(), f"{case.relative_to(REPOSITORY)} is missing"
    text = case.read_text(encoding="utf-8")
    assert table.python is not None
    assert f"build(spark, {table.python.__name__}" in text or f"assert_builds(spark, {table.python.__name__}" in text


@pytest.mark.parametrize("table", GOLD)
def test_nothing_makes_nothing(spark: SparkSession, table: Contract) -> None:
    assert table.python is not None
    assert build(spark, table.python, *([] for _ in [*table.built_from, *[table] * table.keeps_versions])) == []


def test_a_nightly_table_that_nothing_builds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    transforms()
    monkeypatch.delitem(registry._registered, "gold.purchases_seller_daily")

    with pytest.raises(Failed, match=r"jobs/purchases/seller_daily\.py with a function under @builds"):
        transforms()
    assert unbuilt([t for t in tables() if t.refresh != "nightly"], []) == []


def test_a_module_that_would_not_be_imported_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weather").mkdir()
    (tmp_path / "weather" / "daily.py").write_text("")
    monkeypatch.setattr(jobs, "__path__", [str(tmp_path)])

    with pytest.raises(Failed, match=r"weather has no __init__\.py"):
        import_domains()


def test_what_is_not_nightly_has_no_builder() -> None:
    with pytest.raises(ValueError, match=r"silver\.purchase_lines is not refreshed nightly"):
        builds(PurchaseLines)(lambda lines: lines)


def test_only_nightly_tables_are_built() -> None:
    assert {transform.contract.refresh for transform in transforms().values()} == {"nightly"}


def test_a_table_is_not_built_twice() -> None:
    transforms()
    with pytest.raises(ValueError, match=r"gold\.purchases_seller_daily is built twice"):
        builds(SellerDaily)(lambda lines: lines)
