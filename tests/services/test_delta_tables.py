"""Contracts and live Delta tables on the real lake: what follows by itself, and what stops a stream at its start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conf import Settings
from conf.connect import clickhouse
from schemas.contract import Contract, col, contract, table
from schemas.contract.types import CODE, COUNT, ID, TEXT
from schemas.derive import delta
from schemas.derive.live_tables import ContractMismatch, apply_delta
from streaming.core.registry import domains
from tests.support.delta import delta_session
from tests.support.stream import Stream
from tests.support.waiting import until

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

Lake = tuple["SparkSession", Settings]


@pytest.fixture(scope="module")
def lake() -> Iterator[Lake]:
    with delta_session() as made:
        yield made


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


def test_a_table_that_differs_stops_its_domain_with_the_sentence_and_no_other_domain(
    lake: Lake, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    spark, settings = lake
    silver = next(d.branches[0].silver for d in domains() if d.name == "purchases")
    lacking = replace(silver, columns=tuple(c for c in silver.columns if c != "quantity"))
    spark.sql(delta.create_table(lacking, settings.table_path(silver.name)))
    stream.stop()
    # Checkpoints of its own: those of the stack know batches that this warehouse has not.
    monkeypatch.setenv("SAUDA_WAREHOUSE_PREFIX", settings.warehouse_prefix)
    monkeypatch.setenv("SAUDA_CHECKPOINT_ROOT", str(settings.data / settings.warehouse_prefix))
    stream.start()
    try:
        stream.wait_ready()
        until("the other domains to run", lambda: state(stream, "lake:rates") == "running", 120)
        found = stream.progress()["queries"]
    finally:
        stream.stop()

    for query in ("lake:purchases", "live:purchases"):
        assert found[query]["state"] == "stopped: a table differs from its contract"
        assert f"The Delta table {silver.name} has no column quantity" in found[query]["error"]
    assert not found["lake:rates"]["error"]


def test_a_table_of_clickhouse_that_differs_stops_what_fills_it_until_it_is_mended(
    chosen: Settings, stream: Stream
) -> None:
    client = clickhouse(chosen)
    stream.stop()
    try:
        client.command("ALTER TABLE silver.exchange_rates MODIFY COLUMN source Nullable(FixedString(200))")
        stream.start()
        stream.wait_ready()
        until("the lake lane to run", lambda: state(stream, "lake:rates") == "running", 120)
        sentence = stream.progress()["fills"]["fill:rates"]["error"]
        assert "silver.exchange_rates" in sentence
        assert "source" in sentence
        assert not stream.progress()["queries"]["lake:rates"]["error"]
    finally:
        client.command("ALTER TABLE silver.exchange_rates MODIFY COLUMN source Nullable(String)")
        client.close()
    until("ClickHouse to be filled again", lambda: not stream.progress()["fills"]["fill:rates"]["error"], 60)


def state(stream: Stream, query: str) -> str:
    return str(stream.progress()["queries"].get(query, {}).get("state", ""))
