"""A service with two limits, of which each is met by itself: one a network address, one an account."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from ingestion.collecting.client import Budget, Client, CredentialsRefused, RequestCounts, Service
from ingestion.collecting.limiter import CUT, Limiter
from tests.ingestion.procurement.goszakup.fakes import FakeTime

SHOP = Service("the shop", "shop", "http://127.0.0.1:1", refusals=frozenset({401}), remedy="Log in again.")
ADDRESS_BLOCKED, ACCOUNT_BLOCKED = 15.0, 1_800.0


class LimitedClient:
    """A client whose service gives these answers, and both of its limiters."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.time = FakeTime()
        self.address, self.account = (Limiter(rate, self.time, self.time.sleep) for rate in (1_000, 100))
        self._answers = list(answers)

    def times(self, count: int) -> Sequence[float]:
        """Ask so often, one after the other; when each request was made."""
        instants: list[float] = []

        def answer(_: httpx.Request) -> httpx.Response:
            instants.append(self.time.now)
            return self._answers.pop(0) if self._answers else httpx.Response(200, content=b"{}")

        budgets = (Budget(self.address, {403: ADDRESS_BLOCKED}), Budget(self.account, {429: ACCOUNT_BLOCKED}))

        async def ask() -> None:
            transport = httpx.MockTransport(answer)
            async with Client(SHOP, budgets, transport=transport, sleep=self.time.sleep, clock=self.time) as client:
                for _ in range(count):
                    await client.get("/offers", bytes, RequestCounts())

        asyncio.run(ask())
        return instants


def test_the_lower_of_two_limits_sets_the_pace() -> None:
    requests = LimitedClient()
    times = requests.times(20)
    assert times[-1] - times[10] == pytest.approx(9 / 100, rel=0.01)


@pytest.mark.parametrize(
    ("status", "met", "other", "pause"),
    [(403, "address", "account", ADDRESS_BLOCKED), (429, "account", "address", ACCOUNT_BLOCKED)],
)
def test_a_limit_that_is_met_rests_for_its_own_time(status: int, met: str, other: str, pause: float) -> None:
    requests = LimitedClient(httpx.Response(status))
    first, second = requests.times(1)
    limits = {"address": (requests.address, 1_000), "account": (requests.account, 100)}
    assert second - first >= pause
    assert limits[met][0].rate == pytest.approx(limits[met][1] * CUT, rel=0.15)
    assert limits[other][0].rate == limits[other][1], "a limit that was not met keeps its pace"


def test_retry_after_is_obeyed_before_the_usual_pause() -> None:
    requests = LimitedClient(httpx.Response(403, headers={"Retry-After": "40"}))
    first, second = requests.times(1)
    assert 40 <= second - first < 45


def test_only_a_status_of_refusals_ends_the_run() -> None:
    with pytest.raises(CredentialsRefused, match=r"the shop refused the token \(401 at .*/offers\).* Log in again\."):
        LimitedClient(httpx.Response(401)).times(1)
