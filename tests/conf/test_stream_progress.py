"""How far the streams are, and waiting for them."""

from __future__ import annotations

from typing import Any

import pytest

from conf import Settings, stream_progress
from conf.stream_progress import Unsettled, behind, settle

ENDS = {"purchases": {"0": 10, "1": 4}, "procurement-events": {"0": 8}}


def query(topic: str, **reached: int) -> dict[str, Any]:
    return {"topic": topic, "next_offsets": {p.removeprefix("p"): offset for p, offset in reached.items()}}


def progress(**changed: Any) -> dict[str, Any]:
    """Streams that have all of both topics, but for what is changed: `lake_purchases` is the query lake:purchases."""
    whole = {
        "live:purchases": query("purchases", p0=10, p1=4),
        "lake:purchases": query("purchases", p0=10, p1=5),
        "lake:procurement": query("procurement-events", p0=8),
    }
    fills = {
        "fill:purchases": query("purchases", p0=3) | {"until_offsets": {"0": 3}},
        "fill:procurement": query("procurement-events", p0=8) | {"until_offsets": None},
    }
    for name, value in changed.items():
        (fills if name.startswith("fill_") else whole)[name.replace("_", ":", 1)] = value
    return {"ready": True, "queries": whole, "fills": fills}


def test_a_query_lacks_what_its_topic_has_beyond_it() -> None:
    assert behind(progress(), ENDS) == {}
    assert behind(progress(lake_purchases=query("purchases", p0=7)), ENDS) == {"lake:purchases": 7}
    assert behind(progress(lake_procurement=query("procurement-events")), ENDS) == {"lake:procurement": 8}


def test_only_lanes_that_are_asked_for_count() -> None:
    actual = progress(lake_purchases=query("purchases", p0=7), live_purchases=query("purchases"))

    assert behind(actual, ENDS, ["live"]) == {"live:purchases": 14}


def test_a_topic_that_is_not_asked_for_is_left_out() -> None:
    assert behind(progress(lake_purchases=query("purchases")), {"procurement-events": {"0": 8}}) == {}


def test_a_fill_with_an_end_is_wanted_no_farther() -> None:
    half = query("purchases", p0=1, p1=2) | {"until_offsets": {"0": 3, "1": 2}}

    assert behind(progress(fill_purchases=half), ENDS) == {"fill:purchases": 2}


def test_a_fill_without_an_end_is_wanted_to_the_topics() -> None:
    late = query("procurement-events", p0=6) | {"until_offsets": None}

    assert behind(progress(fill_procurement=late), ENDS) == {"fill:procurement": 2}


def test_waiting_says_what_is_lacking_and_ends_when_nothing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = iter([OSError("refused"), {"ready": False}, progress(lake_purchases=query("purchases", p0=10)), progress()])
    messages: list[str] = []

    def answer(_: Settings) -> dict[str, Any]:
        actual = next(rows)
        if isinstance(actual, OSError):
            raise actual
        return actual

    monkeypatch.setattr(stream_progress, "stream_progress", answer)
    monkeypatch.setattr(stream_progress, "topic_ends", lambda *_, **__: ENDS)
    monkeypatch.setattr(stream_progress, "PAUSE_SECONDS", 0)
    settle(Settings(), list(ENDS), 60, messages.append)

    assert messages == [
        "the stream does not answer", "the stream's queries are still starting", "lake:purchases lacks 4"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("actual", "sentence"),
    [
        (progress(lake_purchases=query("purchases")), "After 0 s lake:purchases lacks 14"),
        ({"ready": True, "queries": {}}, "After 0 s no query of the stream reads purchases"),
    ],
)
def test_at_the_deadline_it_says_what_is_still_lacking(
    monkeypatch: pytest.MonkeyPatch, actual: dict[str, Any], sentence: str
) -> None:
    monkeypatch.setattr(stream_progress, "stream_progress", lambda _: actual)
    monkeypatch.setattr(stream_progress, "topic_ends", lambda *_, **__: ENDS)
    monkeypatch.setattr(stream_progress, "PAUSE_SECONDS", 0)

    with pytest.raises(Unsettled, match=sentence):
        settle(Settings(), list(ENDS), 0, lambda _: None)


def open_at(offset: int) -> Any:
    """The ends of a topic in which a transaction is open from an offset on."""
    return lambda *_, committed=False: {"purchases": {"0": offset if committed else 10, "1": 4}}


def test_an_open_transaction_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_progress, "topic_ends", open_at(7))

    assert stream_progress.held_back(Settings()) == [
        "an open transaction of a producer holds back 3 events of purchases (partition 0, from offset 7)"
    ]


def test_without_one_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_progress, "topic_ends", open_at(10))

    assert stream_progress.held_back(Settings()) == []


def test_what_an_open_transaction_holds_back_is_waited_for_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came in behind it was acknowledged: that all is there would not be true."""
    stuck = progress(live_purchases=query("purchases", p0=7, p1=4), lake_purchases=query("purchases", p0=7, p1=5))
    monkeypatch.setattr(stream_progress, "stream_progress", lambda _: stuck)
    monkeypatch.setattr(stream_progress, "topic_ends", open_at(7))
    monkeypatch.setattr(stream_progress, "PAUSE_SECONDS", 0)
    messages: list[str] = []

    with pytest.raises(Unsettled, match=r"lacks 3; an open transaction of a producer holds back 3 events of purchases"):
        settle(Settings(), ["purchases"], 0.05, messages.append)
    assert messages[0] == "live:purchases lacks 3, lake:purchases lacks 3"
