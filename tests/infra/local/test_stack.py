"""What a command does about a part that does not answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conf import Settings
from infra.local import stack
from infra.local.errors import Failed
from infra.local.stack import Stack

UNWELL = "its health is unhealthy"


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "NEED_PAUSE", 0.0)


def stack_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, state: str, faults: Iterator[str | None]
) -> Stack:  # fmt: skip
    """A stack with a scheduler in that state, and what asking it brings each time."""
    created = Stack(settings)
    monkeypatch.setattr(created.supervisor, "info", lambda: {"airflow_scheduler": {"statename": state}})
    monkeypatch.setattr(stack, "trouble", lambda _, name: next(faults) if name == "airflow_scheduler" else None)
    return created


@pytest.mark.usefixtures("patience")
def test_a_part_that_was_started_a_moment_ago_is_waited_for_and_told_of_once(
    stack_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = iter([UNWELL, UNWELL, None])
    stack_of(stack_settings, monkeypatch, "RUNNING", faults).need("minio", "airflow_scheduler")

    assert next(faults, "all were asked") == "all were asked"
    assert capsys.readouterr().err == f"Waiting up to 60 s. Airflow's scheduler: {UNWELL}.\n"


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("state", ["STOPPED", "FATAL", "BACKOFF"])
def test_a_part_that_does_not_run_is_refused_at_once(
    stack_settings: Settings, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    with pytest.raises(Failed, match=r"Airflow's scheduler: its health is unhealthy\.\nStart it: \./start\.sh"):
        stack_of(stack_settings, monkeypatch, state, iter([UNWELL])).need("airflow_scheduler")


@pytest.mark.usefixtures("patience")
def test_patience_has_an_end(stack_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "NEED_SECONDS", -1.0)
    with pytest.raises(Failed, match="unhealthy"):
        stack_of(stack_settings, monkeypatch, "RUNNING", iter([UNWELL])).need("airflow_scheduler")
