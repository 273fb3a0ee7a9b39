"""When queries are due, what was refused, and what the stream says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from api.live import queries
from api.live.document import Refused
from api.live.queries import RefusedFigures, ScheduledQuery, StreamFigures
from conf import Settings
from tests.api.asking import FakeWarehouse


@pytest.mark.parametrize(("seconds", "due"), [(0.02, 101.0), (0.5, 105.0)])
def test_a_question_that_takes_long_is_asked_less_often(seconds: float, due: float) -> None:
    query = ScheduledQuery("SELECT 1", every=1)
    query.done(100.0, seconds)

    assert (query.due, query.is_due(due - 0.01), query.is_due(due)) == (due, False, True)


def test_refused_events_are_asked_one_query_at_a_time() -> None:
    warehouse, clock = FakeWarehouse(), [1_800_000_000.0]
    requested: list[str] = []

    async def rows(sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        assert (parameters or {})["since"] == int(clock[0]) - queries.HOUR
        requested.append(sql)
        return [{"refused_count": 3}] if sql == queries.REFUSED else [{"event_id": "e"}]

    warehouse.rows = rows  # type: ignore[method-assign]
    figures = RefusedFigures(warehouse, lambda: clock[0])

    assert asyncio.run(figures()) == Refused(3, [{"event_id": "e"}])  # type: ignore[list-item]
    assert requested == [queries.REFUSED, queries.REFUSALS], "the first time, all is asked"
    clock[0] += 5
    asyncio.run(figures())
    assert len(requested) == 3
    clock[0] += 1
    asyncio.run(figures())
    assert sorted(requested[2:]) == sorted([queries.REFUSED, queries.REFUSALS])


def answering(answers: dict[tuple[int, str], Any]) -> httpx.AsyncClient:
    """A client of parts that answer by port and path; any other is refused."""

    def answer(request: httpx.Request) -> httpx.Response:
        actual = answers.get((request.url.port or 0, request.url.path))
        if actual is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(actual) if isinstance(actual, int) else httpx.Response(200, json=actual)

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


def test_each_process_of_the_stream_is_asked_for_both_its_pages() -> None:
    settings = Settings(stream_processes="purchases;*")
    first, second = settings.port("metrics"), settings.port("metrics") + 1
    started, none = "2026-12-01T00:00:0", dict[str, int]()
    client = answering({
        (first, "/progress"): {
            "ready": True, "started_at": f"{started}1", "queries": {"live:purchases": 1}, "fills": none,
        },
        (second, "/progress"): {
            "ready": True, "started_at": f"{started}0", "queries": {"lake:rates": 2}, "fills": {"f": 3},
        },
        (first, "/recent"): {"now": 5, "queries": {"live:purchases": 4}},
        (second, "/recent"): {"now": 6, "queries": {"lake:rates": 5}},
    })  # fmt: skip

    flow = asyncio.run(StreamFigures(settings, client)())

    queries = {"live:purchases": 1, "lake:rates": 2}
    assert flow.progress == {"ready": True, "started_at": f"{started}0", "queries": queries, "fills": {"f": 3}}
    assert flow.recent == {"now": 6, "queries": {"live:purchases": 4, "lake:rates": 5}}


def test_a_stream_that_is_away_is_a_sentence() -> None:
    with pytest.raises(OSError, match=r"The stream does not answer \(ConnectError\)\."):
        asyncio.run(StreamFigures(Settings(), answering({}))())
