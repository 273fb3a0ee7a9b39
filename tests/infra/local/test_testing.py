"""What `./start.sh test` says at its end of a page that no browser looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from conf import Settings
from infra.local import command_line, testing
from infra.local.errors import Tolerated
from infra.local.stack import Stack
from infra.local.tools import chromium


@pytest.fixture
def trial(stack_settings: Settings) -> testing.Trial:
    return testing.Trial(Stack(stack_settings), Console(record=True, width=140))


def miss(monkeypatch: pytest.MonkeyPatch, *, is_installable: bool) -> None:
    def ensure(_: object) -> str:
        raise Tolerated(f"{chromium.MISSING}\nno package of that name")

    monkeypatch.setattr(chromium, "ensure", ensure)
    monkeypatch.setattr(chromium, "is_installable", lambda: is_installable)


def outcome(trial: testing.Trial, *, need: bool) -> tuple[bool, str]:
    """Whether the run is good, and its summary."""
    with pytest.raises(Tolerated, match="not tested in a browser"):
        trial.browser_step(need=need).action(lambda _: None)
    trial.outcomes.append(testing.Outcome("unit tests", True, "9 passed", 1.0))
    good = trial.summary()
    return good, trial.console.export_text().partition("summary")[2]


def test_without_a_browser_the_summary_says_what_was_left_out(
    trial: testing.Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    miss(monkeypatch, is_installable=True)

    good, summary = outcome(trial, need=False)

    assert good
    assert "– page in a browser 0 s: There is no Chromium on PATH, so the page is not tested in a browser." in summary
    assert "sudo apt-get install -y chromium" in summary
    assert "✓ unit tests" in summary


@pytest.mark.parametrize(("is_installable", "good", "mark"), [(True, False, "✗"), (False, True, "–")])
def test_where_it_is_needed_and_could_be_installed_its_lack_is_a_failure(
    trial: testing.Trial, monkeypatch: pytest.MonkeyPatch, is_installable: bool, good: bool, mark: str
) -> None:
    miss(monkeypatch, is_installable=is_installable)

    actual, summary = outcome(trial, need=True)

    assert actual is good
    assert f"{mark} page in a browser" in summary


def test_a_browser_that_is_there_needs_no_word(trial: testing.Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "ensure", lambda _: "/usr/bin/chromium")

    assert trial.browser_step(need=True).action(lambda _: None) == "/usr/bin/chromium"
    assert trial.outcomes == []


@pytest.mark.parametrize(
    ("words", "environment", "needs"), [([], {}, False), (["--need-browser"], {}, True), ([], {"CI": "true"}, True)]
)
def test_ci_needs_the_browser(
    monkeypatch: pytest.MonkeyPatch, words: list[str], environment: dict[str, str], needs: bool
) -> None:
    requests = []
    monkeypatch.setattr(testing, "run", lambda *given: requests.append(given[2:]) or 0)
    monkeypatch.setattr(command_line, "current", lambda _: Settings(stack="test", home=Path("unused")))

    answer = CliRunner().invoke(command_line.cli, ["test", *words], env={"CI": None, **environment})

    assert answer.exit_code == 0, answer.output
    assert requests == [((), testing.Scope.ALL, needs)]


@pytest.mark.parametrize(("is_debian", "user", "expected"), [(True, 0, True), (True, 1000, False), (False, 0, False)])
def test_only_root_on_debian_can_install(
    monkeypatch: pytest.MonkeyPatch, is_debian: bool, user: int, expected: bool
) -> None:
    monkeypatch.setattr(chromium, "is_debian", lambda: is_debian)
    monkeypatch.setattr(chromium.os, "geteuid", lambda: user)

    assert chromium.is_installable() is expected
