"""The state that the page shows."""

from __future__ import annotations

from typing import Any

from api.live.document import (
    Flow,
    Reading,
    RevenueStep,
    Sales,
    currencies,
    first_minute,
    merged,
    rate,
    series,
    state,
    topics,
)

NOW = 1_800_000_035.0
MINUTE = 1_800_000_000
FIRST = MINUTE - 59 * 60


def progress(lag: int = 0, state: str = "running", error: str = "") -> dict[str, Any]:
    return {"state": state, "lag_events": lag, "error": error, "restarts": 0}


def test_the_hour_ends_with_the_minute_at_hand() -> None:
    assert first_minute(NOW) == FIRST


def test_fresh_steps_replace_kept_ones_and_older_ones_stay() -> None:
    kept = [
        RevenueStep(MINUTE - 60, "KZT", 5.0, 1),
        RevenueStep(MINUTE, "KZT", 1.0, 1),
        RevenueStep(MINUTE, "EUR", 9.0, 9),
    ]
    fresh = [RevenueStep(MINUTE, "KZT", 7.0, 3)]

    assert merged(kept, fresh, MINUTE) == [RevenueStep(MINUTE - 60, "KZT", 5.0, 1), RevenueStep(MINUTE, "KZT", 7.0, 3)]


def test_takings_are_forgotten_after_an_hour() -> None:
    kept = [RevenueStep(MINUTE - 3600, "KZT", 5.0, 1), RevenueStep(MINUTE - 3660, "KZT", 6.0, 1)]

    assert merged(kept, [RevenueStep(MINUTE, "KZT", 1.0, 1)], MINUTE - 60)[0] == kept[0]
    assert len(merged(kept, [RevenueStep(MINUTE, "KZT", 1.0, 1)], MINUTE - 60)) == 2


def test_each_currency_has_sixty_minutes_and_the_busiest_is_first() -> None:
    takings = [
        RevenueStep(FIRST, "EUR", 10.5, 1),
        RevenueStep(MINUTE, "KZT", 100.0, 2),
        RevenueStep(MINUTE + 50, "KZT", -30.0, 1),
        RevenueStep(FIRST - 60, "KZT", 999.0, 9),
        RevenueStep(MINUTE + 60, "KZT", 999.0, 9),
    ]
    products = [
        {"currency_code": code, "seller_id": "s", "product_id": name, "description": text, "piece_count": 2,
         "revenue_amount": 70.0}
        for code, name, text in (("KZT", "p1", ""), ("USD", "p2", "x"))
    ]  # fmt: skip

    kzt, eur = currencies(takings, products, FIRST)

    assert [kzt["currency_code"], eur["currency_code"]] == ["KZT", "EUR"]
    assert (kzt["revenue_amounts"][59], kzt["purchase_counts"][59], sum(kzt["purchase_counts"])) == (70.0, 3, 3)
    assert (eur["revenue_amounts"][0], sum(eur["revenue_amounts"]), len(eur["revenue_amounts"])) == (10.5, 10.5, 60)
    assert [product["description"] for product in kzt["products"]] == ["p1"], "a product without a name shows its code"
    assert eur["products"] == []


def test_all_currencies_together_come_first_in_the_base_currency() -> None:
    takings = [
        RevenueStep(FIRST, "KZT", 100.0, 2, "KZT", 100.0),
        RevenueStep(MINUTE, "USD", 10.0, 1, "KZT", 5_100.0),
        RevenueStep(MINUTE + 10, "EUR", 7.0, 1, "KZT", None, 3),
        RevenueStep(MINUTE + 60, "USD", 99.0, 9, "KZT", 99.0),
    ]
    best = [{"currency_code": "KZT", "seller_id": "s", "product_id": "p", "description": "Tea", "piece_count": 1,
             "revenue_amount": 5_100.0}]  # fmt: skip

    told = state(NOW, {"sales": Reading(Sales(takings=takings, top_products=best), None, NOW)})["currencies"]

    assert [(hour["currency_code"], hour["is_total"]) for hour in told] == [
        ("KZT", True), ("KZT", False), ("EUR", False), ("USD", False),
    ]  # fmt: skip
    whole = told[0]
    assert (whole["revenue_amounts"][0], whole["revenue_amounts"][59], sum(whole["purchase_counts"])) == (100, 5100, 4)
    assert whole["unconverted_line_count"] == 3
    assert [product["product_id"] for product in whole["products"]] == ["p"]


def test_where_there_is_only_the_base_currency_it_is_its_own_total() -> None:
    takings = [RevenueStep(FIRST, "KZT", 100.0, 2, "KZT", 100.0)]

    assert [hour["is_total"] for hour in state(NOW, {"sales": Reading(Sales(takings=takings))})["currencies"]] == [
        False
    ]


def test_the_rate_leaves_out_the_second_that_is_not_over() -> None:
    events = [[90, 1000], [95, 20], [99, 30], [100, 500]]

    assert rate(events, 100.9, 10) == (1000 + 20 + 30) / 10
    assert rate(events, 100.9, 5) == 10.0
    assert rate([], 100.9, 10) == 0.0


def test_the_series_is_ten_minutes_of_whole_buckets() -> None:
    found = series([[400, 10], [403, 5], [995, 1], [999, 4], [1000, 99]], 1003.0)

    assert len(found) == 120
    assert (found[0], found[119], sum(found)) == (3.0, 1.0, 4.0)


def test_a_topic_has_the_rate_of_its_fastest_lane() -> None:
    fresh = {"event_count": 50, "p50_seconds": 0.3, "p99_seconds": 0.9}
    flow = Flow(
        {
            "queries": {
                "lake:purchases": progress(700),
                "live:purchases": progress(3),
                "lake:procurement": progress(0, "waiting 2 s to start again", "MinIO is away"),
            }
        },
        {
            "now": 1000.0,
            "queries": {
                "live:purchases": {"events": [[995, 50]], "fresh": fresh},
                "lake:purchases": {"events": [[995, 9999]], "fresh": None},
                "lake:procurement": {"events": [[950, 120]], "fresh": None},
            },
        },
    )

    procurement, purchases = topics(flow)

    assert (procurement["topic"], procurement["events_per_second"], procurement["fresh"]) == ("procurement", 2.0, None)
    assert procurement["queries"][0]["is_running"] is False
    assert procurement["queries"][0]["error"] == "MinIO is away"
    assert (purchases["events_per_second"], purchases["fresh"]) == (5.0, fresh)
    assert [(query["lane"], query["lag_events"]) for query in purchases["queries"]] == [("live", 3), ("lake", 700)]


def test_a_topic_may_have_another_name_than_its_domain() -> None:
    flow = Flow(
        {"queries": {"lake:shop": progress(2) | {"topic": "shop-changes"}}},
        {"now": 1000.0, "queries": {"lake:shop": {"events": [[990, 60]], "fresh": None}}},
    )

    (changes,) = topics(flow)

    assert (changes["topic"], changes["events_per_second"]) == ("shop-changes", 1.0)
    assert [(query["lane"], query["lag_events"]) for query in changes["queries"]] == [("lake", 2)]


def test_what_was_told_stays_when_its_source_fails_but_a_rate_does_not() -> None:
    flow = Flow({"queries": {"live:purchases": progress()}}, {"now": NOW, "queries": {}})
    sales = Sales(takings=[RevenueStep(MINUTE, "KZT", 5.0, 1)], newest_at=NOW - 7, refused_count=4)
    good = {"flow": Reading(flow, None, NOW), "sales": Reading(sales, None, NOW), "parts": Reading([], None, NOW)}

    assert len(state(NOW, good)["topics"]) == 1

    failed = {name: seen._replace(error="away") for name, seen in good.items()}
    told = state(NOW + 1, failed)
    assert told["topics"] == []
    assert told["currencies"][0]["revenue_amounts"][59] == 5.0
    assert (told["newest_at"], told["refused_count"]) == (NOW - 7, 4)
    assert told["sources"]["sales"] == {"error": "away", "as_of": NOW}


def test_before_anything_was_told_all_is_empty() -> None:
    told = state(NOW, {"flow": Reading(error="away"), "sales": Reading(), "parts": Reading()})

    assert (told["topics"], told["currencies"], told["latest"], told["parts"]) == ([], [], [], [])
    assert told["newest_at"] is None
    assert told["sources"]["flow"] == {"error": "away", "as_of": None}
