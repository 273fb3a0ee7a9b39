"""The gates before a table is published."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobs.core.conform import conform
from jobs.core.errors import Failed
from jobs.gates.gates import figures, shared_validator, validate_rows
from schemas.contract import Contract, col, contract, table, tables
from schemas.contract.rules import STOP, RowRule, max_length, not_ahead_of
from schemas.contract.types import COUNT, DAY, ID, INSTANT, MONEY, NUMBER, TEXT, LogicalType
from schemas.derive.expectations import suite, suite_json
from schemas.derive.fakes import Row
from tests.schemas.contract.test_rules import CASES
from tests.support.sample_contracts import SAMPLE_DAILY

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.usefixtures("interpreted")


def row(seller: str | None, day: int = 1, a: str | None = "3", b: str = "1", c: str = "2") -> Row:
    amounts = {"a_kzt": a and Decimal(a), "b_kzt": Decimal(b), "c_kzt": Decimal(c)}
    return {"seller_id": seller, "sold_on": date(2026, 1, day), **amounts}


def frame(spark: SparkSession, *rows: Row) -> DataFrame:
    """Rows in which anything may be null, as a transform may make them."""
    ddl = ", ".join(f"{c} {c.type.spark}" for c in SAMPLE_DAILY.columns)
    declared = spark.createDataFrame([tuple(row[c] for c in SAMPLE_DAILY.columns) for row in rows], ddl)
    return conform(declared, SAMPLE_DAILY)


def test_good_rows_pass_with_their_facts(spark: SparkSession) -> None:
    gate_result = validate_rows(frame(spark, row("s1"), row("s2", a="3.5", c="2.5")), SAMPLE_DAILY)

    assert (gate_result.stops, gate_result.verdicts) == ("", ())
    assert gate_result.facts.rows == 2
    assert gate_result.facts.money == {"a_kzt": Decimal("6.5"), "b_kzt": Decimal("2"), "c_kzt": Decimal("4.5")}
    assert json.loads(gate_result.as_json()) == {"checked": gate_result.checked, "broken": []}


def test_no_rows_pass(spark: SparkSession) -> None:
    gate_result = validate_rows(frame(spark), SAMPLE_DAILY)

    assert not gate_result.stops
    assert (gate_result.facts.rows, gate_result.facts.checksum, gate_result.facts.money["a_kzt"]) == (0, 0, 0)


def test_a_broken_rule_stops_and_shows_a_row(spark: SparkSession) -> None:
    gate_result = validate_rows(
        frame(spark, row("s2", a="-3", c="-4"), row("s1", a="-3", c="-4"), row("s3")), SAMPLE_DAILY
    )

    assert gate_result.stops == (
        "a_kzt must be at least 0; 2 rows do not keep this, for example "
        "seller_id s1, sold_on 2026-01-01, a_kzt -3.0000, b_kzt 1.0000, c_kzt -4.0000"
    )


def test_a_rule_over_several_columns_stops(spark: SparkSession) -> None:
    assert "c_kzt must be a_kzt less b_kzt" in validate_rows(frame(spark, row("s1", c="9")), SAMPLE_DAILY).stops


def test_a_warning_does_not_stop_but_is_in_the_journal(spark: SparkSession) -> None:
    gate_result = validate_rows(frame(spark, row("s1", b="-1", c="4")), SAMPLE_DAILY)

    assert not gate_result.stops
    (broken,) = json.loads(gate_result.as_json())["broken"]
    assert (broken["gate"], broken["rows"], broken["stops"]) == ("b_kzt.at_least(0)", 1, False)


def test_required_values_must_be_there(spark: SparkSession) -> None:
    gate_result = validate_rows(frame(spark, row(None), row("s1", a=None)), SAMPLE_DAILY)

    assert [v.gate for v in gate_result.verdicts] == ["seller_id.required", "a_kzt.required"]


@pytest.mark.parametrize("few", [0, 50])
def test_a_key_names_one_row(spark: SparkSession, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    shared_validator()
    monkeypatch.setattr("jobs.gates.engine.FEW_ROWS", few)
    gate_result = validate_rows(frame(spark, row("s1"), row("s1"), row("s1", day=2)), SAMPLE_DAILY)

    assert gate_result.stops == (
        "seller_id, sold_on must name one row; 1 rows do not keep this, for example "
        "seller_id s1, sold_on 2026-01-01, count 2"
    )


def test_the_checksum_depends_on_the_rows_and_not_on_their_order(spark: SparkSession) -> None:
    one, other = row("s1", a="3", c="2"), row("s2", a="4", c="3")
    swapped = [row("s1", a="4", c="3"), row("s2", a="3", c="2")]
    sums = [
        figures(frame(spark, *rows), SAMPLE_DAILY)[0].checksum
        for rows in ([one, other], [other, one], swapped, [one, one])
    ]

    assert sums[0] == sums[1]
    assert len({*sums}) == 3


def test_what_is_wanted_and_what_was_seen_is_said(spark: SparkSession) -> None:
    gate_result = validate_rows(frame(spark, row("s1", a="-3", c="-4"), row("s2")), SAMPLE_DAILY)

    (broken,) = gate_result.verdicts
    assert (broken.gate, broken.rows, broken.seen, broken.wanted) == ("a_kzt.at_least(0)", 1, "1 rows", "0 rows")
    assert gate_result.checked == len([e for e in suite(SAMPLE_DAILY) if not e.needs])
    assert 0 < gate_result.seconds < 60


def test_a_table_that_lags_or_shrinks_is_warned_of(spark: SparkSession) -> None:
    rows = frame(spark, row("s1", day=1), row("s1", day=2))
    known = {"newest_sold_on": "2026-01-03", "fewest_rows": 5, "most_rows": 15}
    gate_result = validate_rows(rows, SAMPLE_DAILY, known)

    assert not gate_result.stops
    assert {v.gate: (v.seen, v.wanted) for v in gate_result.verdicts} == {
        "sold_on.fresh": ("2026-01-02", ">= 2026-01-03"),
        "row_count": ("2", "5 to 15"),
    }
    assert "sold_on must reach the newest day of silver.samples; seen 2026-01-02, wanted >= 2026-01-03" in map(
        str, gate_result.verdicts
    )
    kept = validate_rows(rows, SAMPLE_DAILY, {"newest_sold_on": "2026-01-02", "fewest_rows": 2, "most_rows": 2})
    assert (kept.checked, kept.verdicts) == (gate_result.checked, ())


def test_columns_in_another_order_or_of_another_type_stop(spark: SparkSession) -> None:
    rows = frame(spark, row("s1"))
    swapped = validate_rows(rows.select(*reversed(rows.columns)), SAMPLE_DAILY)
    retyped = validate_rows(rows.withColumn("a_kzt", rows.a_kzt.cast("decimal(18,2)")), SAMPLE_DAILY)

    assert swapped.stops == (
        "the columns must be seller_id, sold_on, a_kzt, b_kzt, c_kzt, in this order; "
        "seen c_kzt, b_kzt, a_kzt, sold_on, seller_id, wanted seller_id, sold_on, a_kzt, b_kzt, c_kzt"
    )
    wanted = "seller_id string, sold_on date, a_kzt decimal(18,4), b_kzt decimal(18,4), c_kzt decimal(18,4)"
    seen = wanted.replace("a_kzt decimal(18,4)", "a_kzt decimal(18,2)")
    assert [(v.gate, v.seen, v.wanted) for v in retyped.verdicts] == [("types", seen, wanted)]


LISTS = LogicalType("LISTS", "array<string>", "Array(String)", "", {"type": "array"}, "list", "a list")
OF_SPARK = {"string": TEXT, "bigint": COUNT, "decimal(18,4)": MONEY, "double": NUMBER, "timestamp": INSTANT,
            "date": DAY, "array<string>": LISTS}  # fmt: skip


def ruled() -> Contract:
    """A table with a column for each case of `tests.schemas.contract.test_rules`."""
    cases = enumerate(CASES)
    columns = {
        f"v{n}": col(OF_SPARK[type_], "A value.", rule, optional=True, serving=False, on_fail=STOP)
        for n, (rule, type_, _, _) in cases
    }
    columns["ahead_at"] = col(INSTANT, "A time.", not_ahead_of("`arrived_at`", 24), serving=False, on_fail=STOP)
    columns["arrived_at"] = col(INSTANT, "A time.", serving=False)
    known = {"thing_count": col(COUNT, "The thing.", key=True), "__doc__": "One row per thing.", **columns}
    return contract(table("gold.ruled")(type("Ruled", (), {"__module__": __name__, **known})))


def things(spark: SparkSession, declared: Contract, broken: bool) -> DataFrame:
    """As many rows as the longest case has values; where a case has fewer there is none."""
    values = [case[3 if broken else 2] for case in CASES]
    ahead = timedelta(hours=25 if broken else 24)
    rows = []
    for n in range(max(map(len, values))):
        named = {f"v{place}": (case[n] if n < len(case) else None) for place, case in enumerate(values)}
        arrived = datetime(2026, 1, 1, tzinfo=UTC)
        rows.append({"thing_count": n, "arrived_at": arrived, "ahead_at": arrived + ahead, **named})
    ddl = ", ".join(f"{c} {c.type.spark}" for c in declared.columns)
    return spark.createDataFrame([tuple(row[c] for c in declared.columns) for row in rows], ddl)


@pytest.mark.parametrize("as_written", [False, True])
def test_a_broken_value_of_every_kind_of_rule_is_found_and_counted(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, as_written: bool
) -> None:
    """The library's own expectations, as a suite names them, and our SQL, as it is asked, are two forms of one rule."""
    shared_validator()
    if as_written:
        monkeypatch.setattr("jobs.gates.engine._configured", lambda expectation: expectation.as_config())
    declared = ruled()
    good = validate_rows(things(spark, declared, broken=False), declared)
    bad = validate_rows(things(spark, declared, broken=True), declared)

    assert good.verdicts == ()
    wanted = {f"v{n}.{rule.name}": len(broken) for n, (rule, _, _, broken) in enumerate(CASES)}
    wanted["ahead_at.not_ahead_of(24 h)"] = max(wanted.values())
    assert {v.gate: v.rows for v in bad.verdicts} == wanted


def test_references_are_looked_up_and_only_warn(spark: SparkSession) -> None:
    @table("gold.refers")
    class Refers:
        """One row per thing."""

        thing_id = col(ID, "The thing.", key=True)
        lot_id = col(ID, "The lot.", optional=True, refers_to="silver.procurement_lots.lot_id")

    declared = contract(Refers)
    spark.sql("SELECT 'l1' AS lot_id").createOrReplaceTempView("rows_of_silver_procurement_lots")
    ddl = "thing_id string, lot_id string"
    rows = spark.createDataFrame([("a", "l1"), ("b", "l2"), ("c", None), ("d", "0"), ("e", "")], ddl)
    gate_result = validate_rows(rows, declared, {"rows_of_silver_procurement_lots": ""})

    (broken,) = gate_result.verdicts
    assert (broken.gate, broken.rows, broken.stops) == ("lot_id.resolves", 1, False)
    assert broken.example == "thing_id b, lot_id l2"
    assert broken.sentence == "every lot_id must be a silver.procurement_lots.lot_id"


@table("gold.sold")
class Sold:
    """One row per seller and product."""

    seller_id = col(ID, "The seller.", key=True)
    product_id = col(
        ID, "The product.", key=True, refers_to="silver.shop_products.product_id", refers_within="seller_id",
        unresolved_pct=25,
    )  # fmt: skip


@pytest.mark.parametrize(("sold", "broken"), [("s1 p1, s1 p2, s1 p9, s2 p8", 0), ("s1 p1, s1 p8, s1 p9, s2 p8", 2)])
def test_few_references_may_be_broken_and_those_of_a_seller_without_a_catalogue_are_not_asked(
    spark: SparkSession, sold: str, broken: int
) -> None:
    catalogue = spark.createDataFrame([("s1", "p1"), ("s1", "p2")], "seller_id string, product_id string")
    catalogue.createOrReplaceTempView("rows_of_silver_shop_products")
    rows = spark.createDataFrame([tuple(pair.split()) for pair in sold.split(", ")], catalogue.schema)
    gate_result = validate_rows(rows, contract(Sold), {"rows_of_silver_shop_products": ""})

    assert [(v.gate, v.rows, v.wanted, v.stops) for v in gate_result.verdicts] == [
        ("product_id.resolves", broken, "at most 25 % of the rows", False)
    ] * bool(broken)


def test_nobody_is_shown_as_an_example(spark: SparkSession) -> None:
    @table("silver.people")
    class People:
        """One row per person."""

        person_id = col(ID, "The person.", key=True)
        name = col(TEXT, "The name.", max_length(3), personal="name", on_fail=STOP)

    rows = spark.createDataFrame([("p1", "Aigerim")], "person_id string, name string")
    gate_result = validate_rows(rows, contract(People))

    assert gate_result.stops == "name must have at most 3 characters; 1 rows do not keep this, for example person_id p1"
    assert "Aigerim" not in gate_result.as_json()


def test_a_condition_that_cannot_be_asked_is_an_error_and_no_verdict(spark: SparkSession) -> None:
    broken = replace(SAMPLE_DAILY, rules=(RowRule("odd", "d_kzt must be something", "d_kzt > 1", STOP),))

    with pytest.raises(Failed, match=r"gold\.sample_daily cannot be judged: .*d_kzt"):
        validate_rows(frame(spark, row("s1")), broken)


def test_two_tables_at_once_are_each_judged_by_their_own_rows(spark: SparkSession) -> None:
    good, bad = frame(spark, row("s1")), frame(spark, row("s1", a="-3", c="-4"))
    other = replace(SAMPLE_DAILY, name="gold.sample_other")
    with ThreadPoolExecutor(2) as pool:
        statements = [
            pool.submit(validate_rows, *pair) for _ in range(2) for pair in ((good, other), (bad, SAMPLE_DAILY))
        ]
        actual = [len(done.result().verdicts) for done in statements]

    assert actual == [0, 1] * 2


def questions(spark: SparkSession) -> int:
    """How many questions Spark has answered so far."""
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    return int(spark._jsparkSession.sharedState().statusStore().executionsCount())


@pytest.mark.parametrize("few", [0, 50])
def test_a_good_table_is_read_once_for_all_its_figures_and_once_for_its_key(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    shared_validator()
    monkeypatch.setattr("jobs.gates.engine.FEW_ROWS", few)
    rows = frame(spark, row("s1"), row("s2"))
    known = {"newest_sold_on": "2026-01-01", "fewest_rows": 1, "most_rows": 3}
    validate_rows(rows, SAMPLE_DAILY, known)
    before = questions(spark)
    gate_result = validate_rows(rows, SAMPLE_DAILY, known)

    assert (gate_result.checked, gate_result.verdicts) == (len(suite(SAMPLE_DAILY)), ())
    assert questions(spark) - before == 2


def test_the_library_can_read_every_suite() -> None:
    """What it cannot read it leaves out, with no more than a line in a log."""
    shared_validator()
    from great_expectations import ExpectationSuite

    for known in (*tables("gold"), *tables("silver")):
        read = ExpectationSuite(**suite_json(known))
        assert [e.meta["name"] for e in read.expectations] == [e.name for e in suite(known)], known.name


def test_nothing_is_told_or_written_anywhere(spark: SparkSession) -> None:
    validate_rows(frame(spark, row("s1")), SAMPLE_DAILY)
    rows = frame(spark, row("s1"), row("s2", a="-1", c="-2"))
    with watched() as seen:
        assert validate_rows(rows, SAMPLE_DAILY).verdicts

    assert [event for event in seen if not event.startswith("socket 127.0.0.1")] == []
    assert not [name for name in sys.modules if name.partition(".")[0] in ("posthog", "segment", "sentry_sdk")]
    assert not (Path.home() / ".great_expectations").exists()
    assert not (Path.cwd() / "gx").exists()


_seen: list[str] = []
_watching = threading.Event()


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching.is_set() and event == "socket.connect":
        _seen.append(f"socket {arguments[1][0]}")
    if _watching.is_set() and event == "open" and isinstance(arguments[2], int):
        writes = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and not str(arguments[0]).startswith("/dev/"):
            _seen.append(f"open {arguments[0]}")


@contextmanager
def watched() -> Iterator[list[str]]:
    """What Python connects to and opens for writing in the block."""
    if not _seen:
        sys.addaudithook(_hook)
    _seen.clear()
    _watching.set()
    try:
        yield _seen
    finally:
        _watching.clear()
