"""The state that the page shows."""

from __future__ import annotations

from typing import Any

from api.domain import Figures
from api.live.document import Flow, Reading, Refused, document, rate, series, topics

NOW = 1_800_000_035.0


def progress(lag: int = 0, state: str = "running", error: str = "") -> dict[str, Any]:
    return {"state": state, "lag_events": lag, "error": error, "restarts": 0}


def test_the_rate_leaves_out_the_second_that_is_not_over() -> None:
    events = [[90, 1000], [95, 20], [99, 30], [100, 500]]

    assert rate(events, 100.9, 10) == (1000 + 20 + 30) / 10
    assert rate(events, 100.9, 5) == 10.0
    assert rate([], 100.9, 10) == 0.0


def test_the_series_is_ten_minutes_of_whole_buckets() -> None:
    actual = series([[400, 10], [403, 5], [995, 1], [999, 4], [1000, 99]], 1003.0)

    assert len(actual) == 120
    assert (actual[0], actual[119], sum(actual)) == (3.0, 1.0, 4.0)


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


def test_what_was_answered_stays_when_its_source_fails_but_a_rate_does_not() -> None:
    flow = Flow({"queries": {"live:purchases": progress()}}, {"now": NOW, "queries": {}})
    refused = Refused(4)
    good = {"flow": Reading(flow, None, NOW), "refused": Reading(refused, None, NOW), "parts": Reading([], None, NOW)}

    assert len(document(NOW, good)["topics"]) == 1

    failed = {name: reading._replace(error="away") for name, reading in good.items()}
    later = document(NOW + 1, failed)
    assert later["topics"] == []
    assert later["refused_count"] == 4
    assert later["sources"]["refused"] == {"error": "away", "as_of": NOW}


def test_before_any_answer_all_is_empty() -> None:
    empty = document(NOW, {"flow": Reading(error="away"), "refused": Reading(), "parts": Reading()})

    assert (empty["topics"], empty["refused_count"], empty["refusals"], empty["parts"]) == ([], 0, [], [])
    assert empty["sources"]["flow"] == {"error": "away", "as_of": None}


def test_a_domain_adds_its_members_from_what_its_source_answered() -> None:
    figures = Figures("weather", lambda _: no_source, lambda now, value: {"warmest": value, "asked_at": now})

    assert document(NOW, {"weather": Reading(31.5)}, [figures])["warmest"] == 31.5
    assert document(NOW, {}, [figures])["warmest"] is None


async def no_source() -> None: ...
