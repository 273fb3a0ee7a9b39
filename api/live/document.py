"""What the page shows, as one JSON document a second: its shape, and how it is made of what the sources answered.

Everything here is pure: `api/live/queries.py` asks, `api/live/hub.py` hands out. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from api.domain import Figures

SERIES_SECONDS, BUCKET_SECONDS = 600, 5
LIVE_WINDOW_SECONDS, LAKE_WINDOW_SECONDS = 10, 60
"""Over how long events a second are averaged: a lake lane reads in batches of many seconds."""


class Query(TypedDict):
    """A streaming query: a lane of a topic."""

    lane: str
    is_running: bool
    state: str
    error: str
    lag_events: int | None
    restarts: int


class Freshness(TypedDict):
    """How old the last minute's events were when they could be read in ClickHouse."""

    event_count: int
    p50_seconds: float
    p99_seconds: float


class Topic(TypedDict):
    """`series` are events a second in buckets of five seconds over the last ten minutes, oldest first."""

    topic: str
    events_per_second: float
    series: list[float]
    fresh: Freshness | None
    queries: list[Query]


class Refusal(TypedDict):
    """One of the latest refused events."""

    event_id: str
    at: float
    topic: str
    rule: str
    sentence: str


class Link(TypedDict):
    title: str
    url: str


class Part(TypedDict):
    """`state` is ``up``, ``down``, or ``off`` for a part that need not run."""

    name: str
    title: str
    state: str
    sentence: str
    links: list[Link]


class SourceStatus(TypedDict):
    """Where figures come from: what is wrong with it now, and from when its figures are. None: nothing, never."""

    error: str | None
    as_of: float | None


class Document(TypedDict):
    """The document's members that belong to no domain; each domain adds its own (`api.domain.Figures`)."""

    at: float
    sources: dict[str, SourceStatus]
    topics: list[Topic]
    refused_count: int
    refusals: list[Refusal]
    parts: list[Part]


MEMBERS = tuple(Document.__annotations__)


class Reading(NamedTuple):
    """What a look at a source brought last, and what is wrong now."""

    value: Any = None
    error: str | None = None
    as_of: float | None = None


class Refused(NamedTuple):
    """The events of the last hour that were refused."""

    event_count: int = 0
    latest: Sequence[Refusal] = ()


class Flow(NamedTuple):
    """What the stream answers at /progress and /recent."""

    progress: Mapping[str, Any]
    recent: Mapping[str, Any]


def document(now: float, readings: Mapping[str, Reading], figures: Iterable[Figures] = ()) -> dict[str, Any]:
    """The document at `now`: what concerns all domains, and the members of each domain's figures.

    What a source has never answered is empty; what it answered before it failed is kept.
    """
    nothing = Reading()
    flow, refused = readings.get("flow", nothing), readings.get("refused", nothing).value or Refused()
    generic: Document = {
        "at": now,
        "sources": {name: {"error": each.error, "as_of": each.as_of} for name, each in readings.items()},
        # Rates and lags of a stream that does not answer are not known, and old ones would look like life.
        "topics": topics(flow.value) if flow.value and not flow.error else [],
        "refused_count": refused.event_count,
        "refusals": list(refused.latest),
        "parts": list(readings.get("parts", nothing).value or []),
    }
    members = [each.members(now, readings.get(each.name, nothing).value) for each in figures]
    return {name: value for part in (generic, *members) for name, value in part.items()}


def topics(flow: Flow) -> list[Topic]:
    """Each topic with its queries, the live lane first. A query is named ``lane:domain``."""
    queries: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, progress in flow.progress.get("queries", {}).items():
        topic = progress.get("topic") or name.partition(":")[2]
        queries.setdefault(topic, {})[name] = progress
    return [_topic(topic, queries[topic], flow.recent) for topic in sorted(queries)]


def _topic(topic: str, queries: Mapping[str, Mapping[str, Any]], recent: Mapping[str, Any]) -> Topic:
    ordered = sorted(queries, reverse=True)
    latest = recent.get("queries", {}).get(ordered[0], {})
    now, events = float(recent.get("now", 0.0)), latest.get("events", [])
    is_live = ordered[0].startswith("live:")
    return {
        "topic": topic,
        "events_per_second": rate(events, now, LIVE_WINDOW_SECONDS if is_live else LAKE_WINDOW_SECONDS),
        "series": series(events, now),
        "fresh": latest.get("fresh"),
        "queries": [_query(name.partition(":")[0], queries[name]) for name in ordered],
    }


def _query(lane: str, progress: Mapping[str, Any]) -> Query:
    return {
        "lane": lane,
        "is_running": progress.get("state") == "running",
        "state": progress.get("state", ""),
        "error": progress.get("error", ""),
        "lag_events": progress.get("lag_events"),
        "restarts": progress.get("restarts", 0),
    }


def rate(events: Iterable[Sequence[int]], now: float, window: int) -> float:
    """Events a second over the last `window` whole seconds. `events` are pairs of second and count."""
    end = int(now)
    return round(sum(count for second, count in events if end - window <= second < end) / window, 2)


def series(events: Iterable[Sequence[int]], now: float) -> list[float]:
    """Events a second in each whole bucket of the last ten minutes, oldest first."""
    end = int(now) // BUCKET_SECONDS * BUCKET_SECONDS
    counts = [0] * (SERIES_SECONDS // BUCKET_SECONDS)
    for second, count in events:
        place = (second - (end - SERIES_SECONDS)) // BUCKET_SECONDS
        if 0 <= place < len(counts):
            counts[place] += count
    return [count / BUCKET_SECONDS for count in counts]
