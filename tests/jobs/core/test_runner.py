"""What every gold table goes through, over a lake of Parquet folders and a ClickHouse that only remembers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.core import registry
from jobs.core.errors import Failed
from jobs.core.fingerprint import Facts
from jobs.core.journal import Run
from jobs.core.registry import transforms
from jobs.core.runner import JobRunner
from jobs.gates.gates import GateResult, figures
from schemas.contract import Contract, contract
from schemas.derive.fakes import Row
from schemas.purchases.gold import BasketDaily, Hourly, ProductDaily, Products, RevenueAnomalies, SellerDaily
from schemas.shop.silver import ShopProducts
from schemas.shop.stage import ProductsStaged
from tests.support.parquet_lake import ParquetLake
from tests.support.purchases import LINES, purchase_lines
from tests.support.transforms import frame

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.usefixtures("interpreted")

SELLERS, ANOMALIES, HOURS = contract(SellerDaily), contract(RevenueAnomalies), contract(Hourly)
BASKETS = contract(BasketDaily)
TWO_DAYS = """
    | event_id | line_no | purchased_at     | seller_id | currency_code | quantity | line_amount |
    | a        | 0       | 2026-01-05 09:00 | s1        | KZT           | 1        | 5           |
    | b        | 0       | 2026-01-06 09:00 | s1        | KZT           | 1        | 7           |
"""
MONDAY = date(2026, 1, 5)


@dataclass
class House:
    """A runner with all it needs, and what it did."""

    spark: SparkSession
    lake: ParquetLake
    published: dict[str, tuple[int, Facts]] = field(default_factory=dict)
    journal: list[Run] = field(default_factory=list)
    fails_at: str = ""
    before: dict[str, int] = field(default_factory=dict)
    judged: dict[str, GateResult] = field(default_factory=dict)

    def publish(self, table: Contract, version: int, facts: Facts) -> None:
        if table.name == self.fails_at:
            raise Failed("ClickHouse reads other rows.")
        self.published[table.name] = (version, facts)

    def silver(self, lines: list[Row]) -> None:
        self.lake.write(frame(self.spark, LINES, lines), LINES.name, where="", note="test")

    def run(self, *tables: Contract, day: date | None = None) -> dict[str, Run]:
        runner = JobRunner(
            self.spark, self.lake, self.publish, self.journal.append, "run1", day,
            lambda table, gate_result: self.judged.update({table.name: gate_result}), self.before, 50,
        )  # fmt: skip
        return {run.table.name: run for run in runner.run(tables)}

    def days(self) -> dict[str, Decimal]:
        version = self.lake.version(SELLERS.name)
        assert version is not None
        rows = self.lake.read(self.spark, SELLERS.name, version).collect()
        return {str(row["sold_on"]): row["revenue_amount"] for row in rows}


@pytest.fixture
def gated(spark: SparkSession, tmp_path: Path) -> House:
    """Its gates are Great Expectations', which take their time."""
    return House(spark, ParquetLake(tmp_path))


@pytest.fixture
def house(gated: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Its gates are open."""
    monkeypatch.setattr("jobs.core.runner.prepare", lambda: None)

    def open_gates(rows: DataFrame, table: Contract, _: object) -> GateResult:
        return GateResult(figures(rows, table)[0], (), ())

    monkeypatch.setattr("jobs.core.runner.validate_rows", open_gates)
    return gated


def test_tables_are_built_after_those_they_are_built_from(house: House) -> None:
    house.silver(purchase_lines(TWO_DAYS))
    runs = house.run(ANOMALIES, HOURS, SELLERS)

    assert [runs[t.name].state for t in (ANOMALIES, HOURS, SELLERS)] == ["done"] * 3
    named = [run.table.name for run in house.journal]
    assert named.index(SELLERS.name) < named.index(ANOMALIES.name)
    built = runs[SELLERS.name]
    assert (built.rows_in, built.rows_out, built.step, built.is_pushed, built.day) == (2, 2, "done", True, "all")
    version, facts = house.published[SELLERS.name]
    assert (version, facts.rows, facts.money["revenue_amount"]) == (0, 2, 12)


STAGED = contract(ProductsStaged)
PRICES = """
    | product_id | run_no | valid_from       | content_hash | price_amount |
    | p1         | 1      | 2026-01-05 00:00 | a            | 100          |
    | p2         | 1      | 2026-01-05 00:00 | b            | 50           |
"""


def test_a_table_that_keeps_versions_goes_on_from_what_it_holds(house: House) -> None:
    products = contract(ShopProducts)
    house.lake.stage[STAGED.name] = frame(house.spark, STAGED, PRICES)
    house.run(products)
    house.lake.stage[STAGED.name] = frame(
        house.spark,
        STAGED,
        """
        | product_id | run_no | valid_from       | content_hash | price_amount |
        | p1         | 2      | 2026-01-09 00:00 | c            | 120          |
    """,
    )
    run = house.run(products)[products.name]

    assert (run.state, run.rows_out) == ("done", 3)
    assert house.published[products.name][1].money["price_amount"] == 270


def test_a_run_that_would_lose_versions_writes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    products = contract(ShopProducts)
    house.lake.stage[STAGED.name] = frame(house.spark, STAGED, PRICES)
    house.run(products)
    forgetful = replace(transforms()[products.name], build=lambda before, *_staged: before.limit(1))
    monkeypatch.setitem(registry._registered, products.name, forgetful)
    run = house.run(products)[products.name]

    assert (run.state, run.message) == ("failed", "Not written: it holds 2 versions, and would hold only 1.")
    assert house.lake.version(products.name) == 0


def test_a_second_run_makes_the_same(house: House) -> None:
    house.silver(purchase_lines(TWO_DAYS))
    house.run(SELLERS)
    first = house.published[SELLERS.name]
    house.run(SELLERS)

    assert house.published[SELLERS.name] == (first[0] + 1, first[1])


def test_a_day_replaces_that_day_only_and_facts_are_of_the_whole_table(house: House) -> None:
    house.silver(purchase_lines(TWO_DAYS))
    house.run(SELLERS)
    house.silver(purchase_lines(TWO_DAYS.replace("| 5 ", "| 50").replace("| 7 ", "| 70")))
    runs = house.run(SELLERS, ANOMALIES, day=MONDAY)

    assert house.days() == {"2026-01-05": 50, "2026-01-06": 7}
    assert (runs[SELLERS.name].rows_out, runs[SELLERS.name].day) == (1, "2026-01-05")
    assert house.published[SELLERS.name][1].rows == 2
    assert house.published[ANOMALIES.name][1].rows == 2


def test_a_table_that_is_stopped_is_not_published_and_what_hangs_on_it_is_not_begun(gated: House) -> None:
    gated.silver(purchase_lines(TWO_DAYS))
    gated.run(SELLERS, ANOMALIES)
    before = dict(gated.published)
    lines = purchase_lines(TWO_DAYS)
    lines[0]["seller_id"] = " "
    gated.silver(lines)
    runs = gated.run(SELLERS, ANOMALIES)

    stopped, waiting = runs[SELLERS.name], runs[ANOMALIES.name]
    assert (stopped.state, stopped.step, stopped.delta_version, stopped.is_pushed) == ("stopped", "gates", -1, False)
    assert stopped.message.startswith("Not published: seller_id must not be empty; 1 rows")
    assert waiting.state == "stopped"
    assert waiting.message == f"It is built from {SELLERS.name}, which could not be built."
    assert gated.published == before
    assert gated.lake.version(SELLERS.name) == 0


def test_what_looks_beyond_the_table_is_asked_of_whole_tables_and_warned_of(gated: House) -> None:
    gated.silver(purchase_lines(TWO_DAYS))
    gated.before = {SELLERS.name: 5, HOURS.name: 3}
    runs = gated.run(SELLERS, HOURS)

    (shrunk,) = gated.judged[SELLERS.name].verdicts
    assert (shrunk.gate, shrunk.seen, shrunk.wanted, shrunk.stops) == ("row_count", "2", "3 to 7", False)
    assert gated.judged[SELLERS.name].known["newest_sold_on"] == "2026-01-06"
    assert gated.judged[HOURS.name].verdicts == ()
    assert [runs[t.name].state for t in (SELLERS, HOURS)] == ["done", "done"]
    seconds = runs[SELLERS.name].gates_seconds
    assert seconds is not None
    assert 0 < seconds < runs[SELLERS.name].seconds

    gated.run(SELLERS, day=MONDAY)
    assert gated.judged[SELLERS.name].known == {}


def test_a_night_looks_up_the_products_that_were_sold_in_the_catalogue(gated: House) -> None:
    gated.silver(
        purchase_lines(
            """
            | event_id | line_no | purchased_at     | seller_id | product_id | currency_code | quantity | line_amount |
            | a        | 0       | 2026-01-05 09:00 | s1        | p1         | KZT           | 1        | 5           |
            | b        | 0       | 2026-01-06 09:00 | s1        | p9         | KZT           | 1        | 7           |
            | c        | 0       | 2026-01-06 09:00 | elsewhere | p8         | KZT           | 1        | 7           |
        """
        )
    )
    catalogue = contract(ShopProducts)
    known = """
        | product_id | seller_id | valid_from       |
        | p1         | s1        | 2026-01-01 00:00 |
    """
    gated.lake.write(frame(gated.spark, catalogue, known), catalogue.name, where="", note="test")
    products = contract(Products)
    runs = gated.run(contract(ProductDaily), products)

    (broken,) = gated.judged[products.name].verdicts
    assert (broken.gate, broken.rows, broken.stops) == ("product_id.resolves", 1, False)
    assert "seller_id s1, product_id p9" in broken.example
    assert runs[products.name].state == "done"


def test_a_push_that_fails_is_said_and_does_not_stop_the_others(house: House) -> None:
    house.silver(purchase_lines(TWO_DAYS))
    house.fails_at = SELLERS.name
    runs = house.run(SELLERS, HOURS)

    failed = runs[SELLERS.name]
    assert (failed.state, failed.step, failed.delta_version, failed.is_pushed) == ("failed", "push", 0, False)
    assert failed.message == "ClickHouse reads other rows."
    assert runs[HOURS.name].state == "done"
    assert {run.table.name for run in house.journal} == {SELLERS.name, HOURS.name}


def test_an_amount_that_does_not_fit_fails_its_table_alone_and_nothing_is_written(house: House) -> None:
    """No such line comes past the door. A table with room for sums of them is built from the same shared step."""
    lines = purchase_lines(TWO_DAYS)
    for line in lines:
        line["line_units"], line["sold_on"] = 2 * 10**18, MONDAY
    house.silver(lines)
    runs = house.run(SELLERS, BASKETS)

    failed = runs[BASKETS.name]
    assert (failed.state, failed.step) == ("failed", "build")
    assert "NUMERIC_VALUE_OUT_OF_RANGE" in failed.message
    assert house.lake.version(BASKETS.name) is None
    assert runs[SELLERS.name].state == "done"


def test_silver_that_is_not_there_yet_makes_empty_tables(house: House) -> None:
    runs = house.run(SELLERS)

    assert (runs[SELLERS.name].state, runs[SELLERS.name].rows_out) == ("done", 0)
    assert house.published[SELLERS.name][1].rows == 0


def test_a_gold_table_that_was_never_built_is_asked_for(house: House) -> None:
    failed = house.run(ANOMALIES)[ANOMALIES.name]

    assert failed.state == "failed"
    assert failed.message.startswith(f"{SELLERS.name} is not built yet")
