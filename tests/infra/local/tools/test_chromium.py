"""Which Chromium the page is tested in."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.errors import Refused, Tolerated
from infra.local.tools import apt, chromium


def put(folder: Path, name: str, code: int) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\nexit {code}\n")
    program.chmod(0o755)


def test_one_that_does_not_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    put(tmp_path, "chromium", 1)
    assert chromium.find() is None

    put(tmp_path, "google-chrome", 0)
    assert chromium.find() == str(tmp_path / "google-chrome")


def test_where_it_cannot_be_installed_its_tests_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "is_debian", lambda: False)

    with pytest.raises(Tolerated, match="not tested in a browser"):
        chromium.ensure(lambda _: None)


def test_root_on_debian_gets_it_by_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "is_debian", lambda: True)
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 0)
    requests = []

    def install(choices: tuple[str, ...], what: str) -> None:
        requests.append((choices, what))
        put(tmp_path, "chromium", 0)

    monkeypatch.setattr(chromium, "apt_install", install)

    assert chromium.ensure(lambda _: None) == str(tmp_path / "chromium")
    assert requests == [(("chromium",), "Chromium")]


def test_a_package_that_nobody_offers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt.children, "run", lambda *_, **__: "")
    monkeypatch.setattr(apt, "_is_offered", lambda _: False)

    with pytest.raises(Refused, match=r"offers none of a, b: install Java 17 or newer by hand"):
        apt.apt_install(("a", "b"), "Java 17 or newer")
