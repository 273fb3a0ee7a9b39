"""One round of questions for all who watch."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

import pytest

from api.http.problems import Problem
from api.live.document import Reading
from api.live.hub import FAULT, Hub, Source

TICK = 0.005


def write(now: float, seen: Mapping[str, Reading]) -> bytes:  # noqa: ARG001
    return json.dumps({name: [each.value, each.error] for name, each in seen.items()}).encode()


def hub(*looks: Source, most: int = 8, **options: Any) -> Hub:
    return Hub(looks, write, max_viewers=most, **({"every": TICK} | options))


class Counter:
    """Answers 1, 2, 3 …; raises what `fault` holds."""

    def __init__(self) -> None:
        self.calls = 0
        self.fault: Exception | None = None

    async def __call__(self) -> int:
        if self.fault:
            raise self.fault
        self.calls += 1
        return self.calls

    @property
    def look(self) -> Source:
        return Source("count", self, every=0)


def run(trial: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(10):
            await trial()

    asyncio.run(within())


async def following(states: AsyncIterator[bytes | None]) -> dict[str, Any]:
    while True:
        answered = await anext(states)
        if answered is not None:
            actual: dict[str, Any] = json.loads(answered)
            return actual


async def until(states: AsyncIterator[bytes | None], wanted: Callable[[Any], bool]) -> Any:
    while not wanted(answered := await following(states)):
        pass
    return answered


def test_many_viewers_cost_one_question_a_round() -> None:
    async def trial() -> None:
        counter = Counter()
        created = hub(counter.look)

        async def view() -> list[int]:
            with created.viewer() as states:
                return [(await following(states))["count"][0] for _ in range(20)]

        seen = await asyncio.gather(*(view() for _ in range(5)))
        assert counter.calls <= max(max(each) for each in seen) + 1, "each question was seen: none was asked twice"
        for each in seen:
            assert each == sorted(set(each)), "states come in order, none twice"

    run(trial)


def test_a_slow_viewer_is_given_the_newest_state_and_no_queue() -> None:
    async def trial() -> None:
        counter = Counter()
        created = hub(counter.look)
        with created.viewer() as slow, created.viewer() as quick:
            first = (await following(slow))["count"][0]
            reached = (await until(quick, lambda answered: answered["count"][0] >= first + 10))["count"][0]
            assert (await following(slow))["count"][0] >= reached

    run(trial)


def test_nothing_is_asked_while_nobody_watches() -> None:
    async def trial() -> None:
        counter = Counter()
        created = hub(counter.look)
        assert counter.calls == 0
        with created.viewer() as states:
            await following(states)
        work = created._work
        assert work is not None
        await work
        requested = counter.calls
        with created.viewer() as states:
            assert (await following(states))["count"][0] == requested + 1, "a new viewer is not shown an old state"

    run(trial)


def test_a_source_that_is_away_is_told_and_its_last_word_kept() -> None:
    async def trial() -> None:
        counter, other = Counter(), Counter()
        created = hub(counter.look, Source("other", other, every=0))
        with created.viewer() as states:
            last = (await following(states))["count"][0]
            counter.fault = OSError("ClickHouse does not answer.")
            answered = await until(states, lambda answered: answered["count"][1] is not None)
            assert answered["count"][1] == "ClickHouse does not answer."
            assert answered["count"][0] >= last
            before = answered["other"][0]
            assert (await until(states, lambda answered: answered["other"][0] > before))["other"][1] is None
            counter.fault = None
            assert (await until(states, lambda answered: answered["count"][1] is None))["count"][0] == counter.calls

    run(trial)


def test_a_source_that_hangs_holds_up_no_other_and_is_asked_once() -> None:
    async def trial() -> None:
        begun = 0

        async def hang() -> None:
            nonlocal begun
            begun += 1
            await asyncio.Event().wait()

        counter = Counter()
        created = hub(Source("hung", hang), counter.look)
        with created.viewer() as states:
            await until(states, lambda answered: answered["count"][0] >= 5)
            assert begun == 1

    run(trial)


def test_an_answer_that_takes_too_long_is_told() -> None:
    async def trial() -> None:
        created = hub(Source("hung", asyncio.Event().wait), timeout_seconds=0.01)
        with created.viewer() as states:
            answered = await until(states, lambda answered: answered["hung"][1] is not None)
            assert answered["hung"] == [None, "No answer within 0.01 seconds."]

    run(trial)


def test_a_fault_of_ours_is_told_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def trial() -> None:
        broken, counter = Counter(), Counter()
        broken.fault = ZeroDivisionError("oh")
        created = hub(Source("broken", broken), counter.look)
        with created.viewer() as states:
            answered = await until(states, lambda answered: answered["count"][0] >= 5)
            assert answered["broken"] == [None, FAULT]

    with caplog.at_level(logging.ERROR):
        run(trial)
    assert [record.message for record in caplog.records] == ["The source broken failed"]


def test_places_are_limited_and_free_again_when_a_viewer_leaves() -> None:
    async def trial() -> None:
        created = hub(Counter().look, most=2)
        with created.viewer():
            with created.viewer(), pytest.raises(Problem, match="2 viewers watch already") as refused, created.viewer():
                pass
            assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "10")
            assert created.viewers == 1
            with created.viewer() as states:
                await following(states)
        assert created.viewers == 0

    run(trial)


def test_a_sign_of_life_comes_where_there_is_no_news() -> None:
    async def trial() -> None:
        created = hub(Source("hung", asyncio.Event().wait), every=60, heartbeat=0.01)
        with created.viewer() as states:
            assert await anext(states) is None

    run(trial)
