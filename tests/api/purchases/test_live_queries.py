"""What the page asks ClickHouse about purchases, and when."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.http.problems import Problem, unavailable
from api.purchases import live_queries
from api.purchases.live_queries import SalesFigures

NOW = 1_800_000_035.0
HOUR_FROM = 1_800_000_035 - 3600
ALL = ("REVENUE", "PRODUCTS", "TOP_PRODUCTS", "PURCHASES", "NEWEST")
NAMES = {getattr(live_queries, name): name for name in ALL}


class FakeWarehouse:
    """Answers by question; remembers what it was asked."""

    def __init__(self) -> None:
        self.now = NOW
        self.seconds = 0.0
        self.queries: list[tuple[str, dict[str, Any]]] = []
        self.fault: Exception | None = None
        self.answers: dict[str, list[dict[str, Any]]] = {
            "NEWEST": [{"at": NOW - 2, "line_count": 10}],
            "REVENUE": [{"begins_at": 1_800_000_030, "currency_code": "KZT", "revenue_amount": 5.0,
                         "purchase_count": 1}],
        }  # fmt: skip

    async def rows(self, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
        if self.fault:
            raise self.fault
        self.queries.append((NAMES[sql], dict(parameters or {})))
        self.now += self.seconds
        return self.answers.get(NAMES[sql], [])

    def names(self) -> list[str]:
        actual = [name for name, _ in self.queries]
        self.queries.clear()
        return actual


def look(warehouse: FakeWarehouse) -> SalesFigures:
    return SalesFigures(warehouse, clock=lambda: warehouse.now)


def test_the_newest_is_asked_each_time_and_the_whole_hour_seldom() -> None:
    warehouse = FakeWarehouse()
    sales = look(warehouse)

    asyncio.run(sales())
    since = [parameters["since"] for name, parameters in warehouse.queries if name == "REVENUE"]
    assert since == [HOUR_FROM // 60 * 60, 1_800_000_010]
    slow = {"NEWEST", "REVENUE", "PRODUCTS", "TOP_PRODUCTS"}
    assert set(warehouse.names()) == slow | {"PURCHASES"}, "the first time, all is asked"

    warehouse.now = NOW + 1
    asyncio.run(sales())
    assert warehouse.names() == ["REVENUE", "PURCHASES"]

    seen = []
    for second in range(2, 40):
        warehouse.now = NOW + second
        asyncio.run(sales())
        *slow_ones, takings, purchases = warehouse.names()
        assert (takings, purchases) == ("REVENUE", "PURCHASES")
        assert len(slow_ones) <= 1, "one slow question a time"
        seen += slow_ones
    assert set(seen) == slow
    assert seen.count("REVENUE") == seen.count("NEWEST") == 1
    assert seen.count("PRODUCTS") in (6, 7, 8)


def test_after_a_pause_all_is_asked_at_once() -> None:
    warehouse = FakeWarehouse()
    sales = look(warehouse)
    asyncio.run(sales())
    warehouse.names()
    warehouse.now = NOW + 3_600

    asyncio.run(sales())

    assert len(warehouse.names()) == 6


def test_a_slow_question_does_not_slow_down_the_others() -> None:
    warehouse = FakeWarehouse()
    sales = look(warehouse)
    asyncio.run(sales())
    sales.recent.due = NOW + 60
    warehouse.names()
    warehouse.now = NOW + 1

    asyncio.run(sales())

    assert warehouse.names() == ["PURCHASES"]


def test_a_question_that_never_ends_keeps_only_itself_waiting() -> None:
    warehouse = FakeWarehouse()
    sales = look(warehouse)
    asyncio.run(sales())
    warehouse.names()

    class TooSlow(FakeWarehouse):
        async def rows(self, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
            if NAMES[sql] == "PRODUCTS":
                self.now += 5
                raise Problem(503, "too-much", "The question takes too much.")
            return await super().rows(sql, parameters)

    sales.warehouse = slow = TooSlow()
    warehouse.now = slow.now = NOW + 6
    sales.clock = lambda: slow.now
    with pytest.raises(OSError, match="takes too much"):
        asyncio.run(sales())
    for second in range(12, 30):
        slow.now = NOW + second
        asyncio.run(sales())

    assert "PRODUCTS" not in slow.names(), "it is asked again after ten times the five seconds"


def test_old_purchases_are_shown_where_there_are_no_new_ones() -> None:
    warehouse = FakeWarehouse()
    yesterday = NOW - 86_400
    warehouse.answers |= {"NEWEST": [{"at": yesterday, "line_count": 1}], "REVENUE": []}

    answered = asyncio.run(look(warehouse)())

    assert dict(warehouse.queries)["PURCHASES"] == {"since": int(yesterday) - 3600, "most": live_queries.MAX_LATEST}
    assert answered.newest_at == yesterday


@pytest.mark.parametrize(
    ("counts", "since"),
    [
        ({30: live_queries.MAX_LATEST}, 10),
        ({30: 3, -200: live_queries.MAX_LATEST - 3, -300: 50}, -200),
        ({30: 3, -200: 3}, NOW - 2 - 3600 - 1_800_000_000),
    ],
)
def test_purchases_are_looked_for_as_late_as_there_are_enough(counts: dict[int, int], since: float) -> None:
    hour = [
        {"begins_at": 1_800_000_000 + at, "currency_code": "KZT", "revenue_amount": 1.0, "purchase_count": count}
        for at, count in counts.items()
    ]
    recent = [row for row in hour if row["begins_at"] >= 1_800_000_010]
    answers = iter([hour, recent])

    class Twice(FakeWarehouse):
        async def rows(self, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
            rows = await super().rows(sql, parameters)
            return next(answers) if NAMES[sql] == "REVENUE" else rows

    warehouse = Twice()
    asyncio.run(look(warehouse)())

    assert dict(warehouse.queries)["PURCHASES"]["since"] == 1_800_000_000 + int(since)


def test_a_purchase_is_newer_than_the_newest_that_was_asked_for_before() -> None:
    warehouse = FakeWarehouse()
    sales = look(warehouse)
    asyncio.run(sales())
    warehouse.answers["PURCHASES"] = [{"event_id": "e", "at": NOW + 1}]
    warehouse.now += 1

    assert asyncio.run(sales()).newest_at == NOW + 1


def test_an_empty_table_has_no_newest_purchase() -> None:
    warehouse = FakeWarehouse()
    warehouse.answers["NEWEST"] = [{"at": 0.0, "line_count": 0}]

    assert asyncio.run(look(warehouse)()).newest_at is None


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (unavailable("ClickHouse"), "ClickHouse does not answer."),
        (Problem(503, "too-much", "The question takes too much."), "The question takes too much."),
    ],
)
def test_a_clickhouse_that_is_away_is_a_sentence(fault: Problem, sentence: str) -> None:
    warehouse = FakeWarehouse()
    warehouse.fault = fault

    with pytest.raises(OSError, match=sentence):
        asyncio.run(look(warehouse)())
