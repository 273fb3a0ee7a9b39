"""The live lane of a domain with several events and tables, before a real ClickHouse (chdb)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from conf import settings
from schemas.contract import find
from schemas.derive.clickhouse import create_database, create_table
from streaming.core import live
from streaming.core.live import LiveCounts, LiveLane
from tests.support.chdb_client import ChdbClient
from tests.support.verdicts import ARRIVED, KAFKA
from tests.support.weather import weather

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DOMAIN = weather()
TABLES = [branch.silver for branch in DOMAIN.branches]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChdbClient]:
    connection = ChdbClient(tmp_path_factory.mktemp("clickhouse"))
    for layer in ("silver", "ops"):
        connection.command(create_database(layer))
    for contract in (*TABLES, find("ops.quarantine")):
        connection.command(create_table(contract))
    yield connection
    connection.close()


@pytest.fixture
def lane(spark: SparkSession, client: ChdbClient, monkeypatch: pytest.MonkeyPatch) -> LiveLane:
    monkeypatch.setattr(live, "clickhouse", lambda _: client)
    for table in (*(t.name for t in TABLES), "ops.quarantine"):
        client.command(f"TRUNCATE TABLE {table}")
    return LiveLane(spark, settings(), DOMAIN)


def sent(spark: SparkSession, *events: tuple[str, Any]) -> DataFrame:
    """Events of these types, with ids after their place."""
    rows = [
        ("weather", 0, n, ARRIVED, [("ce_id", str(n).encode()), ("ce_type", kind.encode())], None, orjson.dumps(body))
        for n, (kind, body) in enumerate(events)
    ]
    return spark.createDataFrame(rows, KAFKA)


def held(client: ChdbClient, table: str) -> list[tuple[Any, ...]]:
    columns = "event_id, toInt64(line_no), station_code, toInt64(figure_count)"
    actual = client.query(f"SELECT {columns} FROM silver.weather_{table} FINAL ORDER BY event_id, line_no").result_rows
    return [(event_id, int(line), station, int(figure)) for event_id, line, station, figure in actual]


EVENTS = (
    ("weather.measured", {"station_code": "ala"}),
    ("weather.forecast", {"station_code": "nqz", "gusts": [{"speed_count": 3}, {"speed_count": 4}], "showers": []}),
    ("weather.forecast", {"station_code": "cit", "gusts": [{"speed_count": 5}], "showers": [{"drop_count": 6}]}),
    ("weather.forecast", {"station_code": "cit", "gusts": [], "showers": []}),
    ("weather.forecast", {"station_code": "cit", "gusts": [{"speed_count": 5}], "showers": [{"drop_count": "x"}]}),
    ("weather.measured", {}),
    ("weather.told", {"station_code": "ala"}),
)


def test_each_event_reaches_all_its_tables_and_is_refused_once(
    spark: SparkSession, client: ChdbClient, lane: LiveLane
) -> None:
    for _ in range(2):
        counts = lane.write(lane.shape(sent(spark, *EVENTS)), "checkpoint", 0)
        assert counts == LiveCounts(accepted=3, lines=4, refused=4, superseded=0, duplicates=0, ages=counts.ages)
        assert len(counts.ages) == 3

    assert held(client, "measured") == [("0", 0, "ala", 3)]
    assert held(client, "stations") == [("0", 0, "ala", 0)]
    assert held(client, "gusts") == [("1", 0, "nqz", 3), ("1", 1, "nqz", 4), ("2", 0, "cit", 5)]
    assert held(client, "showers") == [("2", 0, "cit", 6)]
    refused = client.query("SELECT event_id, rule FROM ops.quarantine FINAL ORDER BY event_id").result_rows
    assert refused == [
        ("3", "gusts.min_items"), ("4", "showers.drop_count.type"), ("5", "station_code.required"),
        ("6", "record.unknown_type"),
    ]  # fmt: skip


def test_a_batch_without_rows_of_a_table_asks_nothing_of_it(
    spark: SparkSession, client: ChdbClient, lane: LiveLane
) -> None:
    begun = len(client.queries)
    lane.write(lane.shape(sent(spark, EVENTS[0])), "checkpoint", 1)

    statement = " ".join(client.queries[begun:])
    assert "silver.weather_measured" in statement
    assert "silver.weather_gusts" not in statement
    assert "ops.quarantine" not in statement


def test_nothing_new_is_nothing(spark: SparkSession, client: ChdbClient, lane: LiveLane) -> None:
    begun = len(client.queries)
    counts = lane.write(lane.shape(sent(spark, EVENTS[0]).limit(0)), "checkpoint", 2)

    assert (counts.accepted, counts.refused, len(client.queries)) == (0, 0, begun)
