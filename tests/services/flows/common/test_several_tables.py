"""The lake lane of a domain with several events and tables, on real Delta: each event once in each of its tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from conf import Settings
from schemas.contract import Contract
from schemas.derive import live_tables
from streaming.core import failpoints
from streaming.core.lake import Counts, LakeLane
from tests.support.delta import BEGAN, delta_session
from tests.support.verdicts import KAFKA
from tests.support.weather import weather

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = [pytest.mark.services, pytest.mark.timeout(300), pytest.mark.beside]
DOMAIN = weather()
TABLES = {branch.silver.table.removeprefix("weather_"): branch.silver for branch in DOMAIN.branches}
MEASURED, FORECAST = "weather.measured", "weather.forecast"
Sent = tuple[str, str, Any]


@pytest.fixture(scope="module")
def lake() -> Iterator[tuple[SparkSession, Settings]]:
    with delta_session() as (spark, settings):
        for table in DOMAIN.tables:
            live_tables.apply_delta(spark, table, settings.table_path(table.name))
        yield spark, settings


def batch(spark: SparkSession, begin: int, *sent: Sent) -> DataFrame:
    """Records with id, type and value, at the offsets from `begin` on."""
    rows = [
        (
            "weather", 0, begin + n, BEGAN + timedelta(seconds=begin + n),
            [("ce_id", event_id.encode()), ("ce_type", kind.encode())], None, orjson.dumps(value),
        )
        for n, (event_id, kind, value) in enumerate(sent)
    ]  # fmt: skip
    return spark.createDataFrame(rows, KAFKA)


def rows(lane: LakeLane, table: Contract) -> list[tuple[Any, ...]]:
    actual = lane.table(table).select("event_id", "line_no", "station_code", "figure_count")
    return sorted(tuple(row) for row in actual.collect())


FIRST: list[Sent] = [
    ("a", MEASURED, {"station_code": "ala"}),
    ("b", FORECAST, {"station_code": "nqz", "gusts": [{"speed_count": 3}, {"speed_count": 4}], "showers": []}),
    ("c", FORECAST, {"station_code": "cit", "gusts": [{"speed_count": 5}], "showers": [{"drop_count": 6}]}),
    ("d", FORECAST, {"station_code": "cit", "gusts": [], "showers": []}),
    ("e", "weather.told", {"station_code": "cit"}),
]
SECOND: list[Sent] = [
    ("a", MEASURED, {"station_code": "other"}),
    ("c", FORECAST, {"station_code": "other", "gusts": [{"speed_count": 9}], "showers": [{"drop_count": 9}]}),
    ("f", MEASURED, {"station_code": "guw"}),
]


def test_each_event_is_once_in_all_its_tables_whatever_comes_twice(
    lake: tuple[SparkSession, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    spark, settings = lake
    lane = LakeLane(spark, settings, DOMAIN)
    assert lane.write(batch(spark, 0, *FIRST), 0) == Counts(read=5, accepted=3, quarantined=2)

    # Cut off between the two tables of one event, and done again by another process.
    def die(step: str) -> None:
        if step == "lake.silver.weather_stations":
            raise RuntimeError("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(failpoints, "hit", die)
        with pytest.raises(RuntimeError, match="cut off"):
            lane.write(batch(spark, len(FIRST), *SECOND), 1)
    lane = LakeLane(spark, settings, DOMAIN)
    counts = lane.write(batch(spark, len(FIRST), *SECOND), 1)

    assert (counts, counts.duplicates) == (Counts(read=3, accepted=1, quarantined=0), 2)
    assert {name: rows(lane, table) for name, table in TABLES.items()} == {
        "measured": [("a", 0, "ala", 3), ("f", 0, "guw", 3)],
        "stations": [("a", 0, "ala", 0), ("f", 0, "guw", 0)],
        "gusts": [("b", 0, "nqz", 3), ("b", 1, "nqz", 4), ("c", 0, "cit", 5)],
        "showers": [("c", 0, "cit", 6)],
    }
    refused = lane.table(DOMAIN.quarantine).select("event_id", "rule").collect()
    assert sorted(map(tuple, refused)) == [("d", "gusts.min_items"), ("e", "record.unknown_type")]
