"""The command that waits for a topic."""

from __future__ import annotations

import pytest

from conf.stream_progress import Unsettled
from jobs.commands import settle
from jobs.commands.settle import main, now_and_then
from tests.support.commands import exit_code


def test_a_topic_that_no_contract_has_is_the_callers_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(main, ["nothing"]) == 2
    assert "No topic is called nothing; there are: procurement-events, purchases" in capsys.readouterr().err


def test_the_deadline_is_a_failure_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def late(_: object, names: list[str], seconds: float, *_more: object) -> None:
        raise Unsettled(f"After {seconds:,.0f} s lake:purchases of {names} lacks 3.")

    monkeypatch.setattr(settle, "settle", late)

    assert exit_code(main, ["purchases", "--minutes", "0.5"]) == 1
    assert capsys.readouterr().err.startswith("After 30 s lake:purchases of ['purchases'] lacks 3. See: ")


def test_all_there_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(settle, "settle", lambda *_: None)

    assert exit_code(main, ["purchases"]) == 0
    assert capsys.readouterr().out.startswith("Lake and ClickHouse have all of purchases, after ")


def test_progress_is_told_when_it_is_new_and_not_all_the_time() -> None:
    messages: list[str] = []
    often, seldom = now_and_then(messages.append, 0), now_and_then(messages.append, 3_600)
    for text in ("a", "a", "b"):
        often(text)
    for text in ("c", "d"):
        seldom(text)

    assert messages == ["a", "b", "c"]
