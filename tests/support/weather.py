"""A domain that is not there: two events on one topic, one without a list and one with two, and four tables."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from schemas.common.envelope import Envelope, Raw, Refused
from schemas.contract import Replacing, col, contract, event, record, table
from schemas.contract.rules import at_least, min_items
from schemas.contract.types import COUNT, LIST, TEXT
from streaming.core.domain import Domain
from streaming.core.registry import Registry


@record()
class Gust:
    """A gust of wind."""

    speed_count = col(COUNT, "Its speed.", at_least(0))


@record()
class Shower:
    """A shower of rain."""

    drop_count = col(COUNT, "Its drops.")


@event("weather.measured", topic="weather", partitions=1)
class Measured:
    """A measurement, without a list."""

    station_code = col(TEXT, "The station.")


@event("weather.forecast", topic="weather", partitions=1)
class Forecast:
    """A forecast, with two lists."""

    station_code = col(TEXT, "The station.")
    gusts = col(LIST, "Gusts.", min_items(1), items=Gust)
    showers = col(LIST, "Showers.", items=Shower)


@table("bronze.weather", refresh="stream", built_from=[Measured, Forecast])
class WeatherRaw(Raw):
    """One row per record."""


@table("quarantine.weather", refresh="stream", built_from=[WeatherRaw])
class WeatherRefused(Refused):
    """One row per refused record."""


def silver(name: str, *, served: bool = True) -> type:
    """A silver table of the weather."""

    class Silver(Envelope):
        """One row per line."""

        line_no = col(COUNT, "Place.", key=True)
        station_code = col(TEXT, "The station.")
        figure_count = col(COUNT, "What was counted.", optional=True)

    clickhouse = Replacing(order_by=("event_id", "line_no"), version="arrival", dedup_window=100) if served else None
    return table(f"silver.weather_{name}", refresh="stream", built_from=[WeatherRaw], clickhouse=clickhouse)(Silver)


MEASURED, STATIONS, GUSTS, SHOWERS = (silver(name) for name in ("measured", "stations", "gusts", "showers"))


def registry(*silvers: type) -> Registry:
    """A registry of the weather alone, in which these tables are declared and nothing fills them yet."""
    declared = [contract(cls) for cls in (WeatherRaw, WeatherRefused, *silvers)]
    return Registry(lambda: declared)


def weather() -> Domain:
    """The domain with all its tables: measurements fill two, forecasts one a list."""
    one = registry(MEASURED, STATIONS, GUSTS, SHOWERS)

    def rows(figure: str, events: DataFrame) -> DataFrame:
        return events.withColumns({"station_code": F.col("e.station_code"), "figure_count": F.expr(figure)})

    one.cleans(MEASURED, event=Measured, main=True)(
        lambda events: rows("CAST(length(e.station_code) AS BIGINT)", events)
    )
    one.cleans(STATIONS, event=Measured)(lambda events: rows("0L", events))
    one.cleans(GUSTS, event=Forecast, rows_at="gusts", main=True)(lambda events: rows("line.speed_count", events))
    one.cleans(SHOWERS, event=Forecast, rows_at="showers")(lambda events: rows("line.drop_count", events))
    (domain,) = one.domains()
    return domain
