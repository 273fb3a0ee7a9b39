"""A table of the lake that differs from its contract when the stream starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conf import Settings
from conf.connect import clickhouse
from schemas.derive import delta
from streaming.core.registry import domains
from tests.support.delta import delta_session
from tests.support.stream import Stream
from tests.support.waiting import until

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

Lake = tuple["SparkSession", Settings]


@pytest.fixture
def lake() -> Iterator[Lake]:
    with delta_session() as result:
        yield result


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
        actual = stream.progress()["queries"]
    finally:
        stream.stop()

    for query in ("lake:purchases", "live:purchases"):
        assert actual[query]["state"] == "stopped: a table differs from its contract"
        assert f"The Delta table {silver.name} has no column quantity" in actual[query]["error"]
    assert not actual["lake:rates"]["error"]


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
