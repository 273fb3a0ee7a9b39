"""Modules are found by looking, whole, and a folder that would be passed over is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conf.discovery import modules_below


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `lookedinto` with a module, a package in a package, and one that is to be skipped."""
    folder = tmp_path / "lookedinto"
    for name in ("__init__.py", "b.py", "a/__init__.py", "a/deep/__init__.py", "a/deep/c.py", "core/__init__.py"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (folder / "core" / "broken.py").write_text("raise AssertionError")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "lookedinto"]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def names_of(*skip: str) -> list[str]:
    import lookedinto  # type: ignore[import-not-found]

    return [module.__name__.removeprefix("lookedinto.") for module in modules_below(lookedinto, skip=skip)]


@pytest.mark.usefixtures("package")
def test_every_module_at_any_depth_is_imported() -> None:
    assert names_of("core") == ["a", "a.deep", "a.deep.c", "b"]


def test_a_folder_that_is_no_package_is_refused_by_name(package: Path) -> None:
    (package / "a" / "lost").mkdir()
    (package / "a" / "lost" / "d.py").touch()
    with pytest.raises(ImportError, match=r"a/lost/d\.py is not imported: .*a/lost has no __init__\.py"):
        names_of("core")


@pytest.mark.usefixtures("package")
def test_a_module_that_fails_is_not_passed_over() -> None:
    with pytest.raises(AssertionError):
        names_of()
