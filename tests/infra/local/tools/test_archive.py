"""Java's archive of classes: made once for these jars and this Java, and never in the way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from conf import Settings
from infra.local.errors import Failed, Tolerated
from infra.local.processes import children
from infra.local.tools import archive


@pytest.fixture
def home(stack_settings: Settings, tmp_path: Path) -> Path:
    """A Java, and a folder with a jar."""
    (stack_settings.jars / "spark").mkdir(parents=True)
    (stack_settings.jars / "spark" / "a.jar").write_bytes(b"a")
    (tmp_path / "release").write_text('JAVA_VERSION="17"')
    return tmp_path


def rehearses(monkeypatch: pytest.MonkeyPatch, writes: bool = True) -> list[list[Any]]:
    requests: list[list[Any]] = []

    def run(command: list[Any], *_: Any, **__: Any) -> str:
        requests.append(command)
        if writes:
            Path(command[-1]).write_bytes(b"archive")
        return ""

    monkeypatch.setattr(children, "run", run)
    return requests


def test_it_is_made_once(stack_settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = rehearses(monkeypatch)
    for _ in range(2):
        archive.ensure(stack_settings, home, lambda _: None)

    assert len(requests) == 1
    assert archive.current(stack_settings, home).read_bytes() == b"archive"


def test_other_jars_or_another_java_ask_for_another(
    stack_settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearses(monkeypatch)
    archive.ensure(stack_settings, home, lambda _: None)
    first = archive.current(stack_settings, home)
    os.utime(stack_settings.jars / "spark" / "a.jar", (1, 1))
    second = archive.current(stack_settings, home)
    (home / "release").write_text('JAVA_VERSION="21"')
    third = archive.current(stack_settings, home)
    archive.ensure(stack_settings, home, lambda _: None)

    assert len({first, second, third}) == 3
    assert [file.name for file in first.parent.glob("*.jsa*")] == [third.name], "the old one is of no use any more"


def test_without_it_all_goes_on(stack_settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearses(monkeypatch, writes=False)
    with pytest.raises(Tolerated, match="each start of Spark takes some seconds more"):
        archive.ensure(stack_settings, home, lambda _: None)

    def fails(*_: Any, **__: Any) -> str:
        raise Failed("Java is too old")

    monkeypatch.setattr(children, "run", fails)
    with pytest.raises(Tolerated, match="Java is too old"):
        archive.ensure(stack_settings, home, lambda _: None)
    assert not list((stack_settings.jars / "spark").glob("*.jsa"))
