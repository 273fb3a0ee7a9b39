"""The clock of the tests' loop."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.support.steady_loop import TICK, SteadyLoop


def test_its_clock_stands_still_while_the_process_does() -> None:
    async def run() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        time.sleep(20 * TICK)
        return loop.time() - begun

    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        assert 0 < runner.run(run()) <= 2 * TICK


def test_who_waits_is_told_of_a_deadline_that_is_over_and_not_before() -> None:
    async def run() -> float:
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 20 * TICK)
        return time.monotonic() - begun

    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        assert runner.run(run()) >= 20 * TICK
