"""What the guard does when the disk fills and empties again, and when the supervisor is killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from conf import Settings, disk
from conf.disk import MIB, Volume
from infra.local.processes import disk_guard
from infra.local.processes.disk_guard import DiskGuard, Guard
from infra.local.processes.supervisor import STOPPED_FOR_DISK

LOW = 100 * MIB


class Played:
    """A supervisor that does at once what it is asked."""

    def __init__(self, **states: str) -> None:
        self.states, self.done = dict(states), list[str]()
        self.revived: list[str] | None = None

    def info(self) -> dict[str, dict[str, Any]]:
        return {name: {"statename": state} for name, state in self.states.items()}

    def stop_soon(self, name: str) -> None:
        self.done.append(f"stop {name}")
        self.states[name] = "STOPPED"

    def start(self, name: str) -> None:
        self.done.append(f"start {name}")
        self.states[name] = "RUNNING"

    def revive(self, names: list[str]) -> None:
        self.revived = names

    def running(self) -> list[str]:
        return [name for name, state in self.states.items() if state != "STOPPED"]


@pytest.fixture
def chosen(stack_settings: Settings) -> Settings:
    stack_settings.run.mkdir(parents=True)
    return stack_settings.model_copy(update={"disk_low_mb": 100, "disk_reserve_mb": 1})


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how many megabytes are left."""

    def set_to(megabytes: int) -> None:
        monkeypatch.setattr(disk, "worst", lambda _: Volume(Path("/there"), megabytes * MIB, LOW))

    set_to(500)
    return set_to


def guard_of(chosen: Settings, supervisor: Played) -> DiskGuard:
    return DiskGuard(chosen, cast("Any", supervisor))


def test_a_disk_that_fills_and_empties_again(chosen: Settings, left: Callable[[int], None]) -> None:
    supervisor = Played(kafka="RUNNING", stream="RUNNING", minio="RUNNING", history="STOPPED")
    watching, reserve = guard_of(chosen, supervisor), disk.reserve_file(chosen)

    watching.look(supervisor.running)
    assert disk.allocated(reserve) >= MIB

    left(60)
    watching.look(supervisor.running)
    assert reserve.exists()
    assert not supervisor.done, "intake stops by itself; nothing is stopped yet"

    left(49)
    watching.look(supervisor.running)
    watching.look(supervisor.running)
    assert not reserve.exists()
    assert supervisor.done == ["stop kafka", "stop stream"]

    left(110)
    supervisor.states["minio"] = "FATAL"
    watching.look(supervisor.running)
    assert supervisor.done == ["stop kafka", "stop stream"], "just enough is not enough to begin again"

    left(120)
    watching.look(supervisor.running)
    assert disk.allocated(reserve) >= MIB
    assert supervisor.done[2:] == ["start kafka", "start stream", "start minio"], "what died meanwhile, too"
    assert not (chosen.run / STOPPED_FOR_DISK).exists()


def test_kafka_that_comes_back_while_the_disk_is_full_is_stopped_again(
    chosen: Settings, left: Callable[[int], None]
) -> None:
    supervisor = Played(kafka="RUNNING")
    watching = guard_of(chosen, supervisor)
    left(0)
    watching.look(supervisor.running)
    supervisor.states["kafka"] = "STARTING"
    watching.look(supervisor.running)

    assert supervisor.done == ["stop kafka", "stop kafka"]


def test_another_guard_knows_what_the_one_before_has_stopped(chosen: Settings, left: Callable[[int], None]) -> None:
    supervisor = Played(kafka="RUNNING")
    left(0)
    guard_of(chosen, supervisor).look(supervisor.running)
    left(500)
    guard_of(chosen, supervisor).look(supervisor.running)

    assert supervisor.done == ["stop kafka", "start kafka"]


def test_a_part_that_is_still_stopping_is_started_when_it_has_stopped(
    chosen: Settings, left: Callable[[int], None]
) -> None:
    supervisor = Played(kafka="RUNNING")
    watching = guard_of(chosen, supervisor)
    left(0)
    watching.look(supervisor.running)
    supervisor.states["kafka"] = "STOPPING"
    left(500)
    watching.look(supervisor.running)
    assert supervisor.done == ["stop kafka"]

    supervisor.states["kafka"] = "STOPPED"
    watching.look(supervisor.running)
    assert supervisor.done == ["stop kafka", "start kafka"]


def test_a_reserve_that_cannot_be_made_leaves_nothing_behind(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    reserve = disk_guard.Reserve(disk.reserve_file(chosen), MIB)
    monkeypatch.setattr(os, "posix_fallocate", full)

    assert not reserve.make()
    assert not reserve.file.exists()


def test_a_supervisor_that_was_killed_is_brought_back_with_what_ran(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch, left: Callable[[int], None]
) -> None:
    del left
    supervisor = Played(kafka="RUNNING", guard="RUNNING", history="STOPPED", api="FATAL")
    monkeypatch.setattr(disk_guard, "Supervisor", lambda _: supervisor)
    watching = Guard(chosen)
    assert watching.look()

    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert not watching.look(), "the new supervisor has a guard of its own"
    assert supervisor.revived == ["api", "kafka"]


def test_a_guard_leaves_the_stack_to_a_command_that_works_on_it(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch, left: Callable[[int], None]
) -> None:
    del left
    supervisor = Played(kafka="RUNNING")
    monkeypatch.setattr(disk_guard, "Supervisor", lambda _: supervisor)
    watching = Guard(chosen)
    monkeypatch.setattr(os, "getppid", lambda: 1)

    with disk_guard.held(chosen.run / "lock", "the stack"):
        assert watching.look(), "it looks again later"
    assert supervisor.revived is None
