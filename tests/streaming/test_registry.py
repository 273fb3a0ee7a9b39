"""Domains are found by looking into `streaming/`."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame

from schemas.contract import contract, events
from schemas.purchases.events import PurchaseEvent
from schemas.purchases.silver import PurchaseLines, PurchasesRaw, PurchasesRefused
from streaming.purchases import purchases
from streaming.registry import Domain, cleans, domains


def test_what_a_lane_needs_follows_from_the_silver_table() -> None:
    (found,) = (d for d in domains() if d.name == "purchases")

    assert found == Domain(
        contract(PurchaseEvent), contract(PurchasesRaw), contract(PurchaseLines), contract(PurchasesRefused), purchases
    )
    assert found.topic == "purchases"


def test_every_topic_is_cleaned_and_by_one_function() -> None:
    assert sorted(d.topic for d in domains()) == sorted({event.topic for event in events()})


def test_looking_twice_finds_the_same() -> None:
    assert domains() == domains()


def test_a_table_that_is_cleaned_twice_is_refused() -> None:
    domains()

    def another(events: DataFrame) -> DataFrame:
        return events

    with pytest.raises(ValueError, match=r"silver\.purchase_lines is cleaned twice"):
        cleans(PurchaseLines, quarantine=PurchasesRefused)(another)
    (found,) = (d for d in domains() if d.name == "purchases")
    assert found.clean is purchases


def test_a_cleaning_function_stays_what_it_was() -> None:
    assert purchases.__name__ == "purchases"
