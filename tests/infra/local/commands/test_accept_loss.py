"""``./start.sh accept-loss``, and what `status` and `doctor` say of losses, lags and a supervisor that is gone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from conf import Settings, disk
from conf.stream_progress import accepted_file
from infra.local import command_line
from infra.local.commands import accept_loss, doctor, status
from infra.local.errors import Refused
from infra.local.processes.supervisor import Supervisor
from infra.local.stack import Stack

SENTENCE = "purchases, partition 0: the offsets 5 to 7 (3 events) are gone from Kafka; it begins at 8."
LOSS = {"topic": "purchases", "partition": "0", "reason": "expired", "begin": 5, "end": 8, "sentence": SENTENCE}
QUERY = {"topic": "purchases", "state": "waiting: offsets are lost", "error": SENTENCE, "lost": [LOSS]}
ENDS = {"purchases": {"0": 50}}


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    reported: dict[str, Any] = {"queries": {"lake:purchases": dict(QUERY)}, "fills": {}}
    for module in (accept_loss, doctor, status):
        monkeypatch.setattr(module, "stream_progress", lambda _: reported)
    return reported


@pytest.fixture
def command(stack_settings: Settings, monkeypatch: pytest.MonkeyPatch, progress: dict[str, Any]) -> list[str]:
    """A stack whose parts answer; starting the stream settles what was accepted. What was done to it."""
    done: list[str] = []

    def waited(*_: Any) -> None:
        done.append("waited")
        progress["queries"]["lake:purchases"]["lost"] = []

    monkeypatch.setattr(accept_loss, "current", lambda: stack_settings)
    monkeypatch.setattr(Stack, "need", lambda *_: None)
    monkeypatch.setattr(Stack, "wait_for", waited)
    monkeypatch.setattr(Supervisor, "stop", lambda _, part: done.append(f"stop {part}"))
    monkeypatch.setattr(Supervisor, "start", lambda _, part: done.append(f"start {part}"))
    return done


def test_a_loss_is_accepted_once_and_the_stream_starts_anew(command: list[str], stack_settings: Settings) -> None:
    answer = CliRunner().invoke(command_line.cli, ["accept-loss", "purchases", "--yes", "--json"])

    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.output.splitlines()[-1])["accepted"] == [LOSS]
    assert command == ["stop stream", "start stream", "waited"]
    assert json.loads(accepted_file(stack_settings, "purchases").read_text())["losses"] == [LOSS]

    again = CliRunner().invoke(command_line.cli, ["accept-loss", "purchases", "--yes"])
    assert "Nothing of purchases is lost." in again.output
    assert command == ["stop stream", "start stream", "waited"]


def test_nothing_is_done_where_the_answer_is_no(command: list[str], stack_settings: Settings) -> None:
    answer = CliRunner().invoke(command_line.cli, ["accept-loss", "purchases"], input="n\n")

    assert answer.exit_code == 1
    assert SENTENCE in answer.output
    assert command == []
    assert not accepted_file(stack_settings, "purchases").exists()


@pytest.mark.usefixtures("progress")
def test_an_unknown_topic_is_refused_with_those_there_are(stack_settings: Settings) -> None:
    with pytest.raises(Refused, match=r"No topic is called 'purchase'; there are: .*purchases"):
        accept_loss.of(stack_settings, "purchase")


@pytest.mark.usefixtures("progress")
def test_the_doctor_says_what_is_lost_and_which_command_goes_on(stack_settings: Settings) -> None:
    (actual,) = doctor._queries(stack_settings)

    assert (actual.mark, actual.text) == ("bad", SENTENCE)
    assert actual.fix.startswith("./start.sh accept-loss purchases")


def test_the_doctor_says_why_a_query_waits(stack_settings: Settings, progress: dict[str, Any]) -> None:
    progress["queries"] = {"live:x": {"state": "waiting 15 s to start again", "error": "MinIO is away", "lost": []}}

    assert [actual.text for actual in doctor._queries(stack_settings)] == [
        "live:x is waiting 15 s to start again: MinIO is away"
    ]


def test_a_full_disk_is_what_the_doctor_says_of_it(stack_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "shortage", lambda _: "The disk of /there has 3 MB free.")
    (actual,) = doctor._disk(stack_settings)

    assert (actual.mark, actual.text) == ("bad", "The disk of /there has 3 MB free.")
    assert status.warnings(stack_settings, ["running"]) == ["The disk of /there has 3 MB free."]
    assert status.warnings(stack_settings, ["unsupervised"])[0] == status.NO_SUPERVISOR


@pytest.mark.parametrize(
    ("query", "is_kafka_up", "lag"),
    [
        ({"next_offsets": {"0": 40}, "lag_events": 0}, True, 10),
        ({"next_offsets": {}, "lag_events": 0}, True, None),
        ({"next_offsets": {"0": 40}, "lag_events": 0}, False, None),
    ],
)
def test_a_lag_is_what_kafka_has_now_and_never_guessed(
    stack_settings: Settings, monkeypatch: pytest.MonkeyPatch, query: Any, is_kafka_up: bool, lag: int | None
) -> None:
    monkeypatch.setattr(status, "topic_ends", lambda *_: ENDS)
    actual = status.measured(
        stack_settings, {"lake:purchases": query | {"topic": "purchases"}}, is_kafka_up=is_kafka_up
    )
    assert actual["lake:purchases"]["lag_events"] == lag

    console = Console(record=True, width=160)
    shown = {"parts": [], "stack": "unit", "queries": actual, "counts": {}, "stopped_checks": [], "warnings": ["Look!"]}
    status.show(shown, console)
    text = console.export_text()
    assert ("unknown" in text) == (lag is None)
    assert "Look!" in text
