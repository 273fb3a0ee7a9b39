"""Sources are found wherever they lie, and a faulty one costs the others nothing."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingestion.core import registry, run
from ingestion.core.registry import Registered, look_for_sources, registered

GOOD = """
    from ingestion.core.registry import Source
    SOURCE = Source({name!r}, "A source.", (), print)
"""


def house(folder: Path, name: str, **modules: str) -> Path:
    """A folder of modules, at any depth: ``a__b`` is b.py in the folder a, which has no ``__init__.py``."""
    root = folder / name
    for module, text in modules.items():
        path = root.joinpath(*module.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return root


def test_every_source_of_the_repository_is_usable() -> None:
    assert registered().faults == ()


def test_sources_are_found_at_any_depth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    root = house(tmp_path, "deep", a__b__c=GOOD.format(name="a.c"), plain="X = 1\n")
    actual = look_for_sources([root])
    assert (list(actual.sources), actual.faults) == (["a.c"], ())


def test_a_broken_domain_leaves_the_others_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    root = house(
        tmp_path, "broken", good=GOOD.format(name="good.file"), bad="import no_such_module\nSOURCE = 1\n",
        wrong="SOURCE: str = 'text'\n",
    )  # fmt: skip
    actual = look_for_sources([root])
    assert list(actual.sources) == ["good.file"]
    bad, wrong = actual.faults
    assert bad.startswith("broken.bad cannot be imported: ModuleNotFoundError: ")
    assert wrong == "broken.wrong declares a SOURCE that is a str: no source."


def test_two_sources_of_one_name_are_both_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    same, other = GOOD.format(name="same.file"), GOOD.format(name="other.file")
    actual = look_for_sources([house(tmp_path, "twins", a=same, b=same, c=other)])
    assert list(actual.sources) == ["other.file"]
    assert actual.faults == ("same.file is declared by twins.a and twins.b: a source needs a name of its own.",)


@pytest.mark.parametrize("arguments", [["--help"], ["good.fiel"]])
def test_the_command_names_what_is_not_usable(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr(registry, "registered", lambda: Registered({}, ("bad.file is broken",)))
    monkeypatch.setattr(run, "registered", registry.registered)
    assert "bad.file is broken" in CliRunner().invoke(run.main, arguments).output
