"""Steps that several tables begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.inputs import SharedSteps
from jobs.registry import transforms
from schemas.contract import contract
from schemas.purchases.gold import Hourly, ProductDaily, SellerDaily
from tests.support.purchases import LINES
from tests.support.transforms import frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SELLERS, HOURS, PRODUCTS = (transforms()[contract(t).name] for t in (SellerDaily, Hourly, ProductDaily))


def kept(steps: SharedSteps) -> list[bool]:
    return [frame.is_cached for frame in steps._kept.values()]


def test_a_shared_step_is_kept_until_its_last_table_is_done(spark: SparkSession) -> None:
    lines = frame(spark, LINES, [])
    steps = SharedSteps([SELLERS.contract, HOURS.contract, PRODUCTS.contract])
    steps.build(SELLERS, [lines])
    steps.build(PRODUCTS, [lines])
    assert kept(steps) == [True]
    steps.done(SELLERS)
    steps.done(PRODUCTS)
    assert kept(steps) == [True]
    steps.build(HOURS, [lines])
    steps.done(HOURS)
    assert kept(steps) == []


def test_a_step_that_one_table_has_is_not_kept(spark: SparkSession) -> None:
    steps = SharedSteps([SELLERS.contract])
    steps.build(SELLERS, [frame(spark, LINES, [])])

    assert kept(steps) == []
