"""The registry: nothing that is declared may be lost."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from graphlib import CycleError
from pathlib import Path
from types import ModuleType

import pytest

from schemas.contract import Plain, col, contract, event, feed, record, registry, table
from schemas.contract.declare import Contract
from schemas.contract.types import CODE, ID, LIST
from tests.support.sample_contracts import SAMPLE_DAILY, SAMPLES, SAMPLES_RAW


def test_an_unknown_contract_is_answered_with_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"no contract is called 'gold\.nothing'; there are .*silver\.purchase_lines"):
        registry.find("gold.nothing")


def test_tables_come_after_what_they_are_built_from() -> None:
    assert registry.order_by_dependency([SAMPLE_DAILY, SAMPLES, SAMPLES_RAW]) == [SAMPLES_RAW, SAMPLES, SAMPLE_DAILY]


def test_a_topic_takes_the_most_partitions_any_of_its_events_asks_for() -> None:
    actual = {topic.name: topic for topic in registry.topics()}

    for each in registry.events():
        assert actual[each.topic].partitions >= each.partitions
    assert all(topic.config["message.timestamp.type"] == "LogAppendTime" for topic in actual.values())


def test_tables_that_are_built_from_each_other_are_refused() -> None:
    one = declared_table("gold.one")
    two = declared_table("gold.two", built_from=(one,))
    object.__setattr__(one, "built_from", (two,))

    with pytest.raises(CycleError):
        registry.order_by_dependency([one, two])


def test_records_are_not_among_the_contracts() -> None:
    assert all(c.kind in ("table", "entity", "event", "feed") for c in registry.contracts())
    assert CODE in {column.type for column in registry.find("silver.purchase_lines").columns}


SOURCE = """
from schemas.contract import col, table
from schemas.contract.types import ID


@table("stage.{name}", delta=False)
class Weather:
    \"\"\"One row per place.\"\"\"

    place_id = col(ID, "The place.", key=True)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package `madeup` with the sub-packages `weather` and `weather.silver`."""
    folder = tmp_path / "madeup" / "weather" / "silver"
    folder.mkdir(parents=True)
    for each in (folder, folder.parent, folder.parent.parent):
        (each / "__init__.py").write_text("")
    (folder / "places.py").write_text(SOURCE.format(name="places"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("madeup")
    for name in [name for name in sys.modules if name.partition(".")[0] == "madeup"]:
        del sys.modules[name]


def collected(package: ModuleType) -> list[str]:
    return sorted(registry._collect(map(importlib.import_module, registry._modules(package))))


def test_a_contract_in_a_package_of_a_package_is_found(package: ModuleType) -> None:
    assert collected(package) == ["stage.places"]


def test_a_folder_that_is_no_package_is_refused(package: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "madeup" / "weather" / "silver" / "__init__.py").unlink()

    with pytest.raises(ValueError, match=r"places\.py is not imported: its folder needs an __init__\.py"):
        collected(package)


def test_a_package_that_cannot_be_imported_is_an_error(package: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "madeup" / "weather" / "silver" / "__init__.py").write_text("import nothing_of_this_name")

    with pytest.raises(ImportError, match=r"madeup\.weather\.silver cannot be imported"):
        collected(package)


def test_two_contracts_of_one_name_are_an_error(package: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "madeup" / "weather" / "gold.py").write_text(SOURCE.format(name="places"))

    with pytest.raises(ValueError, match=r"stage\.places is declared twice"):
        collected(package)


@record()
class Reading:
    """One reading."""

    sensor_id = col(ID, "The sensor.")


@event("weather.report", topic="weather", partitions=1)
class Report:
    """One report with two lists."""

    place_id = col(ID, "The place.")
    readings = col(LIST, "Readings.", items=Reading)
    warnings = col(LIST, "Warnings.", items=Reading)


@event("weather.storm", topic="weather", partitions=1)
class Storm:
    """One storm; it has no list."""

    place_id = col(ID, "The place.")


@feed(topic="sky", partitions=1)
class Sky:
    """Rows of the sky."""


def declared_table(name: str, **options: object) -> Contract:
    built_from = options.pop("built_from", ())
    cls = type("Made", (), {"__doc__": "One row.", "__module__": "schemas.weather.silver",
                            "place_id": col(ID, "The place.", key=True)})  # fmt: skip
    declared = contract(table(name, clickhouse=Plain(), **options)(cls))  # type: ignore[arg-type]
    object.__setattr__(declared, "built_from", tuple(built_from))  # type: ignore[arg-type]
    return declared


WEATHER_RAW = declared_table("bronze.weather", refresh="stream", built_from=(contract(Report), contract(Storm)))
SKY_RAW = declared_table("bronze.sky", refresh="stream", built_from=(contract(Sky),))
DECLARED = (contract(Report), contract(Storm), contract(Sky), WEATHER_RAW, SKY_RAW)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"refresh": "stream", "built_from": (WEATHER_RAW,)}, ""),
        ({"refresh": "stream", "built_from": (WEATHER_RAW,), "rows_at": "warnings"}, ""),
        ({"refresh": "stream", "built_from": (WEATHER_RAW,), "fed_by": ["weather.storm"]}, ""),
        ({"refresh": "stream", "built_from": (SKY_RAW,), "fed_by": ["sky.star"], "rows_at": "planets"}, ""),
        ({"built_from": (WEATHER_RAW,)}, "it does not say when it is refreshed (refresh=…)"),
        ({"refresh": "stream"}, "it does not say what it is built from (built_from=…)"),
        ({"refresh": "stream", "built_from": (declared_table("bronze.empty"),)},
         "no event and no feed reaches it: built_from must be the bronze table of a topic"),
        ({"refresh": "stream", "built_from": (SKY_RAW,)},
         "its topic is a feed, and fed_by names no event type that fills it"),
        ({"refresh": "stream", "built_from": (WEATHER_RAW,), "fed_by": ["weather.sun"]},
         "fed_by names weather.sun; the events are weather.report, weather.storm"),
        ({"refresh": "stream", "built_from": (WEATHER_RAW,), "rows_at": "lines"},
         "rows_at names 'lines'; the lists of its events are readings, warnings"),
        ({"refresh": "stream", "built_from": (WEATHER_RAW,), "rows_at": "warnings", "fed_by": ["weather.storm"]},
         "rows_at names 'warnings'; the lists of its events are none"),
    ],
)  # fmt: skip
def test_a_silver_table_that_nothing_fills_is_refused(options: dict[str, object], sentence: str) -> None:
    assert registry._unfilled(declared_table("silver.weather_places", **options), DECLARED) == sentence


def test_a_gold_table_that_nothing_builds_is_refused() -> None:
    nightly = declared_table("gold.weather_daily", refresh="nightly")

    assert registry._unfilled(nightly, DECLARED) == "it does not say what it is built from (built_from=…)"
