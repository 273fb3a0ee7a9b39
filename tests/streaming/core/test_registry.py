"""Domains are found by looking into `streaming/`."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame

from schemas.contract import contract, tables, topics
from schemas.purchases.events import PurchaseEvent
from schemas.purchases.silver import PurchaseCorrections, PurchaseLines, PurchasesRaw, PurchasesRefused
from streaming.core.registry import cleans, domains
from streaming.purchases import purchases


def test_what_a_lane_needs_follows_from_the_silver_table() -> None:
    (found,) = (d for d in domains() if d.name == "purchases")
    (branch,) = found.branches

    assert (found.source, found.topic) == (contract(PurchaseEvent), "purchases")
    corrections = contract(PurchaseCorrections)
    assert found.tables == (
        contract(PurchasesRaw), contract(PurchaseLines), corrections, contract(PurchasesRefused)
    )  # fmt: skip
    assert (branch.corrections, branch.silver.document) == (corrections, ("seller_id", "purchase_id"))
    assert branch.clean is purchases
    assert found.is_live
    assert not found.is_typed


def test_a_feed_fills_every_silver_table_of_its_domain_and_no_type_goes_to_two() -> None:
    (found,) = (d for d in domains() if d.name == "procurement")

    assert {b.silver.name for b in found.branches} == {t.name for t in tables("silver", "procurement")}
    types = [t for b in found.branches for t in b.types]
    assert len(types) == len(set(types))
    assert found.is_typed
    assert not found.is_live


def test_every_topic_is_cleaned_once() -> None:
    assert sorted(d.topic for d in domains()) == [topic.name for topic in topics()]


def test_looking_twice_finds_the_same() -> None:
    assert domains() == domains()


def test_a_table_that_is_cleaned_twice_is_refused() -> None:
    domains()

    def another(events: DataFrame) -> DataFrame:
        return events

    with pytest.raises(ValueError, match=r"silver\.purchase_lines is cleaned twice"):
        cleans(PurchaseLines, quarantine=PurchasesRefused)(another)
    (found,) = (d for d in domains() if d.name == "purchases")
    assert found.branches[0].clean is purchases


def test_a_cleaning_function_stays_what_it_was() -> None:
    assert purchases.__name__ == "purchases"
