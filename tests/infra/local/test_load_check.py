"""A load of registers ends with its check."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from click.testing import CliRunner

from conf import Settings
from infra.local import command_line, load_check
from infra.local.commands import ingest
from infra.local.domains import procurement
from infra.local.stack import Stack

GOSZAKUP, OCDS = "procurement.goszakup", "procurement.ocds"


@pytest.mark.parametrize(
    ("source", "words", "expected"),
    [
        (GOSZAKUP, [], True),
        (GOSZAKUP, ["--full", "--register", "lots"], True),
        (GOSZAKUP, ["--register", "graphql={ Lots { id } }"], False),
        (GOSZAKUP, ["--register=schema"], False),
        (GOSZAKUP, ["--register", "schema", "--register", "lots"], True),
        (OCDS, ["file.json", "--collection", "x"], True),
        ("purchases.file", ["shop.csv"], False),
        ("shop.products", [], False),
    ],
)
def test_what_is_checked_at_its_end(source: str, words: list[str], expected: bool) -> None:
    assert load_check.is_checked(source, words) is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["file.json", "--collection", "moldova"], "moldova"),
        (["--collection=moldova", "file.json"], "moldova"),
        ([], "goszakup"),
        (["--stand-in"], "goszakup_standin"),
    ],
)
def test_the_collection_of_a_load_is_the_one_it_names_or_the_services(
    stack_settings: Settings, words: list[str], expected: str
) -> None:
    assert procurement.collection_of(stack_settings, words) == expected


def test_a_part_that_is_away_is_named_with_what_to_do_later(
    stack_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(load_check, "trouble", lambda _, name: "it is away" if name == "stream" else None)

    assert load_check.check(stack_settings, OCDS, ["x.json", "--collection", "x", "--json"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (
        "", "What was sent is not checked, since stream does not answer. Later: ./start.sh check procurement\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "load", "check", "code", "is_checked"),
    [
        ([], 0, 0, 0, True),
        ([], 0, 3, 3, True),
        ([], 1, 0, 1, True),
        ([], 2, 0, 2, False),
        (["--no-check"], 0, 3, 0, False),
        (["--dry-run"], 0, 3, 0, False),
    ],
)
def test_the_worse_of_load_and_check_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, words: list[str], load: int, check: int, code: int, is_checked: bool
) -> None:
    sent: list[Sequence[str]] = []
    checked: list[str] = []

    def passed_on(_settings: Settings, _part: str, given: Sequence[str]) -> int:
        sent.append(given)
        return load

    def judged(_settings: Settings, source: str, _words: Sequence[str]) -> int:
        checked.append(source)
        return check

    monkeypatch.setattr(ingest, "passed_on", passed_on)
    monkeypatch.setattr(Stack, "need", lambda *_: None)
    monkeypatch.setattr(load_check, "check", judged)
    ended = CliRunner().invoke(command_line.cli, ["ingest", GOSZAKUP, "--stand-in", *words])

    assert ended.exit_code == code
    assert checked == ([GOSZAKUP] if is_checked else [])
    assert "--no-check" not in sent[0]
