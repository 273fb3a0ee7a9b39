"""A domain's faults stay its own: it says why it is stopped, and goes on by itself when that is mended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from conf import settings
from schemas.derive.differences import Difference
from schemas.derive.live_tables import ContractMismatch
from streaming.core import domain_runner
from streaming.core.domain_runner import DomainRunner
from streaming.core.progress import Progress
from streaming.core.registry import chosen_domains
from tests.support.waiting import until

SENTENCE = "silver.purchase_lines: the column quantity is STRING and should be BIGINT."
MISMATCH = ContractMismatch([Difference("silver.purchase_lines", "quantity", SENTENCE, remedy="Migrate it.")])


class Played(DomainRunner):
    """A runner whose steps are played: each raises what stands for it, as long as that is there."""

    faults: dict[str, Exception]
    done: list[str]

    def _play(self, step: str) -> Any:
        if fault := self.faults.get(step):
            raise fault
        self.done.append(step)
        return True

    def _prepare(self, shift: Any) -> Any:  # noqa: ARG002
        return self._play("prepare")

    def _start_lake(self, position: Any) -> bool:  # noqa: ARG002
        return bool(self._play("lake"))

    def _start_live(self, position: Any, dedup: Any) -> bool:  # noqa: ARG002
        return bool(self._play("live"))

    def _start_filler(self, position: Any, dedup: Any) -> bool:  # noqa: ARG002
        return bool(self._play("filler"))


@pytest.fixture
def progress() -> Progress:
    return Progress()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, progress: Progress) -> Iterator[Any]:
    """Starts a runner of a domain with faults in its steps."""
    monkeypatch.setattr(domain_runner, "MAX_WAIT_SECONDS", 0.005)
    runners: list[Played] = []

    def start(name: str, *, is_granted: bool = True, **faults: Exception) -> Played:
        (domain,) = chosen_domains([name])
        granted = threading.Event()
        if is_granted:
            granted.set()
        runner = Played(cast("Any", None), settings(), domain, ("live", "lake"), progress, granted)
        runner.faults, runner.done = faults, []
        runners.append(runner)
        runner.start()
        return runner

    yield start
    for runner in runners:
        runner.stop()
        runner.join(5)
        assert not runner.is_alive()


def states(progress: Progress) -> dict[str, tuple[str, str]]:
    return {name: (query["state"], query["error"]) for name, query in progress.snapshot()["queries"].items()}


def test_a_delta_table_that_differs_stops_its_domain_and_no_other(started: Any, progress: Progress) -> None:
    stopped = started("purchases", prepare=MISMATCH)
    other = started("rates")
    for runner in (stopped, other):
        assert runner.attempted.wait(5)

    assert stopped.done == []
    assert other.done == ["prepare", "lake", "live", "filler"]
    actual = states(progress)
    for query in ("lake:purchases", "live:purchases"):
        assert actual[query][0] == "stopped: a table differs from its contract"
        assert actual[query][1].startswith(SENTENCE)
    assert actual["lake:rates"] == ("starting", "")

    del stopped.faults["prepare"]
    until("the domain to start", lambda: stopped.done == ["prepare", "lake", "live", "filler"], 5, pause=0.005)


def test_a_table_of_clickhouse_that_differs_leaves_the_lake_running(started: Any, progress: Progress) -> None:
    runner = started("purchases", live=MISMATCH)
    assert runner.attempted.wait(5)

    assert runner.done == ["prepare", "lake"]
    assert states(progress)["lake:purchases"] == ("starting", "")
    assert states(progress)["live:purchases"][1].startswith(SENTENCE)
    assert progress.snapshot()["fills"]["fill:purchases"]["error"].startswith(SENTENCE)


def test_a_part_that_is_down_is_waited_for(started: Any) -> None:
    runner = started("rates", prepare=OSError("MinIO does not answer"))
    assert not runner.attempted.wait(0.05)
    del runner.faults["prepare"]

    assert runner.attempted.wait(5)
    assert runner.done == ["prepare", "lake", "live", "filler"]


def test_on_a_new_lake_the_live_lane_does_not_wait_for_storage(started: Any, progress: Progress) -> None:
    runner = started("purchases", is_granted=False)

    assert runner.attempted.wait(5)
    until("the lake to be waited for", lambda: "waiting" in states(progress)["lake:purchases"][0], 5, pause=0.005)
    assert runner.done == ["live"]
    runner._granted.set()
    until("the lake to start", lambda: runner.done == ["live", "prepare", "lake", "filler"], 5, pause=0.005)


def test_on_a_new_lake_a_live_lane_that_cannot_start_does_not_hold_back_the_lake(
    started: Any, progress: Progress
) -> None:
    runner = started("purchases", is_granted=False, live=MISMATCH)
    runner._granted.set()

    assert runner.attempted.wait(5)
    assert runner.done == ["prepare", "lake"]
    assert states(progress)["live:purchases"][1].startswith(SENTENCE)
