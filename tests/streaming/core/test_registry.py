"""Domains are found by looking into `streaming/`, and what does not fit together is refused with a sentence."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from conf import REPOSITORY
from schemas.common.envelope import Envelope
from schemas.contract import Contract, col, contract, table, tables, topics
from schemas.contract.types import COUNT
from schemas.purchases.events import PurchaseEvent, PurchasesRaw, PurchasesRefused
from schemas.purchases.silver import PurchaseCorrections, PurchaseLines
from streaming.core.registry import NotComplete, Registry, domains, domains_of_process
from streaming.purchases import purchases
from tests.support.weather import MEASURED, STATIONS, Forecast, Measured, registry, silver, weather

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def kept(events: DataFrame) -> DataFrame:
    return events


def test_what_a_lane_needs_follows_from_the_silver_table() -> None:
    (actual,) = (d for d in domains() if d.name == "purchases")
    (branch,) = actual.branches

    assert (actual.sources, actual.topic) == ((contract(PurchaseEvent),), "purchases")
    corrections = contract(PurchaseCorrections)
    assert actual.tables == (
        contract(PurchasesRaw), contract(PurchaseLines), corrections, contract(PurchasesRefused)
    )  # fmt: skip
    assert (branch.corrections, branch.silver.document_key) == (corrections, ("seller_id", "purchase_id"))
    assert branch.clean is purchases
    assert actual.is_live
    assert not actual.is_typed


def test_a_feed_fills_every_silver_table_of_its_domain_and_no_type_goes_to_two() -> None:
    (actual,) = (d for d in domains() if d.name == "procurement")

    assert {b.silver.name for b in actual.branches} == {t.name for t in tables("silver", "procurement")}
    types = [t for b in actual.branches for t in b.types]
    assert len(types) == len(set(types))
    assert actual.is_typed
    assert not actual.is_live


def test_every_topic_is_cleaned_once_and_every_streamed_table_is_filled() -> None:
    assert sorted(d.topic for d in domains()) == [topic.name for topic in topics()]
    filled = {t.name for d in domains() for t in d.tables}
    assert {t.name for t in tables("silver") if t.refresh == "stream"} <= filled


def test_a_domain_may_have_several_tables_events_and_lists() -> None:
    domain = weather()

    tables_of = [b.silver.table.removeprefix("weather_") for b in domain.branches]
    assert tables_of == ["measured", "stations", "gusts", "showers"]
    assert [b.silver.table for b in domain.main_branches] == ["weather_measured", "weather_gusts"]
    assert [[b.silver.table for b in domain.followers(main)] for main in domain.main_branches] == [
        ["weather_stations"], ["weather_showers"],
    ]  # fmt: skip
    assert domain.types == {"weather.measured", "weather.forecast"}
    assert (domain.is_live, domain.is_typed) == (True, True)


SAME_EVENTS = "silver.weather_measured, silver.weather_stations are made of the same events: give main=True to one"


def _twice(one: Registry) -> None:
    for _ in range(2):
        one.cleans(MEASURED, event=Measured)(kept)


def _nothing_fills_one(one: Registry) -> None:
    one.cleans(MEASURED, event=Measured)(kept)


def _two_mains(one: Registry) -> None:
    one.cleans(MEASURED, event=Measured, main=True)(kept)
    one.cleans(STATIONS, event=Measured, main=True)(kept)


def _no_main(one: Registry) -> None:
    one.cleans(MEASURED, event=Measured)(kept)
    one.cleans(STATIONS, event=Measured)(kept)


def _no_event(one: Registry) -> None:
    one.cleans(MEASURED)(kept)


def _no_list(one: Registry) -> None:
    one.cleans(MEASURED, event=Forecast)(kept)


def _unknown_list(one: Registry) -> None:
    one.cleans(MEASURED, event=Measured, rows_at="gusts")(kept)


def _other_event(one: Registry) -> None:
    one.cleans(MEASURED, event=PurchaseEvent)(kept)


def _main_without_every_event(one: Registry) -> None:
    one.cleans(MEASURED, event=Forecast, rows_at="showers", main=True)(kept)
    one.cleans(STATIONS, event=Forecast, rows_at="gusts")(kept)


def _mixed(one: Registry) -> None:
    one.cleans(MEASURED, event=Measured)(kept)
    one.cleans(STATIONS, event=Forecast, rows_at="", live=False)(kept)


@pytest.mark.parametrize(
    ("registered", "sentence"),
    [
        (_twice, "silver.weather_measured is filled by two functions"),
        (_nothing_fills_one, "nothing fills silver.weather_stations; add a function with @cleans to streaming/"),
        (
            _two_mains,
            SAME_EVENTS,
        ),
        (
            _no_main,
            SAME_EVENTS,
        ),
        (_no_event, "bronze.weather holds 2 kinds of events; say by event= which"),
        (_no_list, "has the lists gusts, showers; say by rows_at="),
        (_unknown_list, "has no list gusts; it has none"),
        (_other_event, "which bronze.weather does not hold"),
        (_main_without_every_event, "silver.weather_measured has no row of an event whose list is empty"),
        (_mixed, "has tables that are filled live and others that are not"),
    ],
)
def test_what_does_not_fit_together_is_refused(registered: Callable[[Registry], None], sentence: str) -> None:
    one = registry(MEASURED, STATIONS)

    def assembled() -> None:
        registered(one)
        one.domains()

    with pytest.raises((NotComplete, ValueError)) as refused:
        assembled()
    assert sentence in str(refused.value)


def test_a_topic_that_nothing_takes_is_refused() -> None:
    with pytest.raises(NotComplete, match=r"nothing takes the records of bronze\.weather; add streaming/"):
        registry().domains()


def test_a_live_domain_has_no_table_that_clickhouse_lacks() -> None:
    hidden = silver("hidden", served=False)
    one = registry(hidden)
    one.cleans(hidden, event=Measured)(kept)
    with pytest.raises(NotComplete, match=r"silver\.weather_hidden is not in ClickHouse"):
        one.domains()


def test_two_tables_cannot_be_mapped_from_one_event_type() -> None:
    from schemas.shop.events import ShopRaw, ShopRefused, ShopRows
    from schemas.shop.silver import ShopChanges

    class Again(Envelope):
        """One row per change, once more."""

        line_no = col(COUNT, "Place.", key=True)

    again = table("silver.again", refresh="stream", built_from=[ShopRaw], fed_by=["shop.seller.changed"])(Again)
    declared: list[Contract] = [contract(cls) for cls in (ShopRaw, ShopRefused, ShopChanges, again)]
    one = Registry(lambda: declared)
    one.maps(ShopRows)
    with pytest.raises(NotComplete, match=r"events of the type shop\.seller\.changed would feed both"):
        one.domains()


def test_a_table_that_masks_persons_needs_to_know_their_codes() -> None:
    from schemas.procurement.events import ProcurementRows

    with pytest.raises(ValueError, match=r"is masked by a person's code; person_code= says which codes are"):
        Registry().maps(ProcurementRows)


def test_looking_twice_finds_the_same() -> None:
    assert domains() == domains()


def test_a_cleaning_function_stays_what_it_was() -> None:
    assert purchases.__name__ == "purchases"


def test_processes_share_the_domains() -> None:
    def names(*groups: str, number: int) -> list[str]:
        return [d.name for d in domains_of_process([group.split(",") for group in groups], number)]

    every = [d.name for d in domains()]
    assert names("*", number=1) == every
    assert names("purchases", "*", number=1) == ["purchases"]
    assert names("purchases", "*", number=2) == [name for name in every if name != "purchases"]
    with pytest.raises(NotComplete, match="leaves out procurement, rates, shop"):
        names("purchases", number=1)
    with pytest.raises(NotComplete, match="there is no domain nothing"):
        names("nothing", "*", number=1)
    with pytest.raises(NotComplete, match="so there is no process 3"):
        names("purchases", "*", number=3)


def test_what_is_generic_imports_no_domain() -> None:
    names = {domain.name for domain in domains()}
    own = {f"{layer}.{name}" for layer in ("schemas", "streaming", "conf.domains") for name in names}
    generic = [*(REPOSITORY / "streaming" / "core").rglob("*.py"), *(REPOSITORY / "conf").glob("*.py")]
    actual = [
        f"{path.relative_to(REPOSITORY)}: {node.module}"
        for path in generic
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and any(f"{node.module}.".startswith(f"{name}.") for name in own)
    ]

    assert len(generic) > 30
    assert actual == []
