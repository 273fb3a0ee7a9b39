from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from ingestion.procurement.limiter import FASTER_AFTER, ONE_COMPLAINT, SLOWEST, Limiter


@dataclass
class Clock:
    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def turns(limiter: Limiter, clock: Clock, count: int) -> list[float]:
    """When each of so many requests might be made, from the first."""

    async def take() -> list[float]:
        at = []
        for _ in range(count):
            await limiter.turn()
            at.append(clock.now - 100.0)
        return at

    return asyncio.run(take())


def test_requests_are_spaced_by_the_rate() -> None:
    clock = Clock()
    assert turns(Limiter(5, clock, clock.sleep), clock, 4) == pytest.approx([0.0, 0.2, 0.4, 0.6])


def test_time_that_was_not_used_is_not_saved_up() -> None:
    clock = Clock()
    limiter = Limiter(5, clock, clock.sleep)
    clock.now += 60
    assert turns(limiter, clock, 3) == pytest.approx([60.0, 60.2, 60.4])


def test_many_at_once_share_one_rate() -> None:
    clock = Clock()
    limiter = Limiter(10, clock, clock.sleep)

    async def together() -> None:
        await asyncio.gather(*(limiter.turn() for _ in range(31)))

    asyncio.run(together())
    assert clock.now - 100 == pytest.approx(3.0)


def test_429_slows_down_more_than_a_fault() -> None:
    clock = Clock()
    limiter = Limiter(10, clock)
    limiter.too_many()
    assert limiter.rate == pytest.approx(7.0)
    clock.now += ONE_COMPLAINT
    limiter.broken()
    assert limiter.rate == pytest.approx(5.95)


def test_requests_that_were_under_way_together_slow_down_once() -> None:
    clock = Clock()
    limiter = Limiter(10, clock)
    for _ in range(8):
        limiter.too_many()
        clock.now += ONE_COMPLAINT / 10
    assert limiter.rate == pytest.approx(7.0)
    clock.now += ONE_COMPLAINT
    limiter.too_many()
    assert limiter.rate == pytest.approx(4.9)


def test_it_never_stops_altogether_nor_runs_over_what_was_allowed() -> None:
    clock = Clock()
    limiter = Limiter(5, clock)
    for _ in range(100):
        limiter.too_many()
        clock.now += ONE_COMPLAINT
    assert limiter.rate == SLOWEST == 0.2
    for _ in range(FASTER_AFTER * 200):
        limiter.good()
    assert limiter.rate == 5


def test_good_answers_in_a_row_make_it_faster_again() -> None:
    clock = Clock()
    limiter = Limiter(10, clock)
    limiter.too_many()
    for _ in range(FASTER_AFTER - 1):
        limiter.good()
    assert limiter.rate == pytest.approx(7.0)
    limiter.good()
    assert limiter.rate == pytest.approx(7.35)
    for _ in range(FASTER_AFTER - 1):
        limiter.good()
    clock.now += ONE_COMPLAINT
    limiter.broken()
    limiter.good()
    assert limiter.rate == pytest.approx(7.35 * 0.85), "a fault begins the row anew"


def test_retry_after_holds_all_back() -> None:
    clock = Clock()
    limiter = Limiter(1_000, clock, clock.sleep)
    limiter.pause(30)
    limiter.pause(5)
    assert turns(limiter, clock, 2)[0] == pytest.approx(30.0)
