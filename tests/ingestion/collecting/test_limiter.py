from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from random import Random

import pytest

from ingestion.collecting.limiter import LIMIT_SECONDS, ONE_COMPLAINT, Limiter


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


def test_429_cuts_the_rate_once_for_requests_that_were_under_way_together() -> None:
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
    assert limiter.rate == pytest.approx(0.1)
    # A limit that was not met for ten minutes is forgotten, and a minute brings the rate back.
    clock.now += LIMIT_SECONDS
    for _ in range(60):
        limiter.good()
        clock.now += 1
    assert limiter.rate == 5


def test_the_rate_grows_by_the_clock_and_not_by_answers_in_a_row() -> None:
    clock = Clock()
    limiter = Limiter(60, clock)
    limiter.too_many()
    for _ in range(4):
        clock.now += 1
        limiter.good()
        limiter.good()
        limiter.broken()
    assert limiter.rate == pytest.approx(42 + 4)


def test_one_answer_after_a_long_silence_is_no_reason_to_ask_at_full_speed() -> None:
    clock = Clock()
    limiter = Limiter(60, clock)
    limiter.too_many()
    clock.now += 500
    limiter.good()
    assert limiter.rate == pytest.approx(42 + 5)


def test_it_tells_what_holds_it_back() -> None:
    clock = Clock()
    limiter = Limiter(10, clock)
    assert limiter.held_by() == ""
    limiter.too_many()
    clock.now += 3
    assert limiter.held_by() == "the service answered 429 at 10.0 requests/s, 3 s ago"
    limiter.pause(30)
    assert limiter.held_by() == "nothing is asked for 30 s: the service answered 429"


@dataclass
class Service:
    """A service with a share of faults at random, and perhaps a limit of requests a second, above which it refuses."""

    faults: float = 0.0
    limit: float = float("inf")
    refuses_by: str = "429"
    random: Random = field(default_factory=lambda: Random(7))
    asked_at: deque[float] = field(default_factory=deque)

    def answer(self, now: float) -> str:
        while self.asked_at and self.asked_at[0] <= now - 1:
            self.asked_at.popleft()
        self.asked_at.append(now)
        if len(self.asked_at) > self.limit:
            return self.refuses_by
        return "fault" if self.random.random() < self.faults else "good"


def simulated(service: Service, seconds: float, rate: float = 60.0) -> tuple[Limiter, Counter[str], list[float]]:
    """Requests as fast as the limiter lets them; the answers, and the rate at the end of each second."""
    clock = Clock()
    limiter = Limiter(rate, clock, clock.sleep)
    answers: Counter[str] = Counter()
    rates: list[float] = []

    async def run() -> None:
        while clock.now < 100 + seconds:
            await limiter.turn()
            answer = service.answer(clock.now)
            answers[answer] += 1
            {"good": limiter.good, "429": limiter.too_many, "fault": limiter.broken}[answer]()
            while len(rates) < clock.now - 100:
                rates.append(limiter.rate)

    asyncio.run(run())
    return limiter, answers, rates


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_random_faults_cost_their_own_requests_and_no_rate(share: float) -> None:
    limiter, answers, rates = simulated(Service(faults=share), 600)

    assert limiter.rate == 60
    assert answers["good"] / (60 * 600) > 0.98 - share
    # 5 % of faults may cost 15 % of the rate, at any time.
    assert min(rates) > 0.85 * 60


@pytest.mark.parametrize("faults", [0.0, 0.05])
def test_a_real_limit_is_found_and_kept(faults: float) -> None:
    _, answers, rates = simulated(Service(faults, limit=25), 600)

    settled = rates[120:]
    assert 0.75 * 25 < sum(settled) / len(settled) < 1.1 * 25
    assert max(settled) < 1.1 * 25
    assert answers["good"] > (0.75 - faults) * 25 * 600
    assert answers["429"] < 0.01 * answers["good"]


def test_a_service_that_shows_its_limit_by_faults_is_not_run_over() -> None:
    _, answers, rates = simulated(Service(limit=25, refuses_by="fault"), 600)

    assert max(rates[120:]) < 1.5 * 25
    assert answers["good"] > 0.75 * 25 * 600


def test_a_limit_that_is_lifted_is_noticed() -> None:
    service = Service(limit=25)
    clock = Clock()
    limiter = Limiter(60, clock)
    for second in range(900):
        clock.now = 100 + second
        service.limit = 25 if second < 120 else float("inf")
        limiter.too_many() if limiter.rate > service.limit else limiter.good()
    assert limiter.rate == 60


def test_a_service_that_is_down_is_asked_ever_less_and_soon_again_at_full_speed() -> None:
    clock = Clock()
    limiter = Limiter(60, clock)
    for _ in range(300):
        clock.now += 1 / limiter.rate
        limiter.broken()
    assert limiter.rate < 3
    began = clock.now
    while limiter.rate < 0.9 * 60 and clock.now < began + 1_000:
        clock.now += 1 / limiter.rate
        limiter.good()
    assert clock.now - began < 120


def test_retry_after_holds_all_back() -> None:
    clock = Clock()
    limiter = Limiter(1_000, clock, clock.sleep)
    limiter.pause(30)
    limiter.pause(5)
    assert turns(limiter, clock, 2)[0] == pytest.approx(30.0)
