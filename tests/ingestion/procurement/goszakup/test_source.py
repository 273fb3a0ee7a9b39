"""The command line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingestion.collecting import journal
from ingestion.core.errors import BrokerLost
from ingestion.core.run import main
from ingestion.core.stopping import stopped_by_sigterm
from ingestion.procurement.goszakup.source import Collection
from tests.ingestion.procurement.goszakup.fakes import TOKEN, FakeGoszakup, FakeKafka, chosen, rows

Runs = Callable[..., Result]


@pytest.fixture
def run(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Run the command with settings for the fakes; `written` are the journal's rows that ClickHouse would get."""

    def invoke(*arguments: str, connect: Any = None, **more: Any) -> Result:
        settings = chosen(tmp_path, service.url, clickhouse_port=1, **more)
        monkeypatch.setattr("ingestion.core.run.settings", lambda: settings)
        taken = connect or (lambda _settings, _topic, _say: kafka)
        return CliRunner().invoke(main, ["procurement.goszakup", *arguments], obj=taken)

    return invoke


def waiting(folder: Path, url: str) -> list[dict[str, Any]]:
    paths = journal.waiting(chosen(folder, url))
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_load_is_summed_up_and_journalled(run: Runs, service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(25, 25))
    result = run("--register", "lots", "--json")
    assert result.exit_code == 0, result.output
    assert "procurement.goszakup: 25 events sent, 25 acknowledged." in result.stdout
    line = next(line for line in result.stdout.splitlines() if line.strip().startswith("lots"))
    assert line.split()[:5] == ["lots", "full", "3", "25", "25"]
    output = json.loads(result.stdout.splitlines()[-1])
    assert (output["sent"], output["acknowledged"], output["error"]) == (25, 25, "")
    (row,) = output["registers"]
    assert (row["page_count"], row["row_count"], row["is_complete"], row["message"]) == (3, 25, True, "")
    assert waiting(tmp_path, service.url) == [row]
    assert "The journal ops.collect_runs was not written, for ClickHouse at 127.0.0.1:1 did not take it" in (
        result.stderr.replace("\n", " ")
    )
    assert len(kafka.kept) == 25


def test_a_wrong_token_ends_with_2_and_says_how_to_get_one(run: Runs, service: FakeGoszakup) -> None:
    service.token = "another"
    service.put("/v3/lots", rows(25, 25))
    result = run("--register", "lots", "--json")
    assert result.exit_code == 2
    assert result.stderr.count("goszakup refused the token (403 at ") == 1
    output = json.loads(result.output.splitlines()[-1])
    assert output["error"].startswith("goszakup refused the token"), (
        "the last line is the JSON's, with the way it ended"
    )
    assert [row["register_name"] for row in output["registers"]] == ["lots"]
    assert "SAUDA_GOSZAKUP_TOKEN" in result.stderr
    assert TOKEN not in result.output
    assert "Traceback" not in result.output


def test_without_a_token_nothing_is_asked(run: Runs, service: FakeGoszakup) -> None:
    result = run("--register", "lots", goszakup_token=None)
    assert result.exit_code == 2
    assert "There is no token for goszakup." in result.stderr
    assert service.requests == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--register", "lotz"], "No register is called 'lotz'; there are schema, graphql, journal, "),
        (["--register", "lots_bin"], "lots_bin asks for a customer_bin: write --register lots_bin=VALUE."),
        (["--register", "lots=5"], "lots takes no value; '5' was given."),
        (["--register", "graphql"], "graphql asks for a query"),
        (["--details", "lots"], "'lots' has no sub-lists to fetch with its rows; contract_all, "),
        (["--since", "tomorrow"], "'tomorrow' does not match the format"),
    ],
)
def test_wrong_arguments_end_with_2_and_a_sentence(
    run: Runs, service: FakeGoszakup, arguments: list[str], message: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")
    assert service.requests == []


def test_a_dry_run_asks_nothing_and_needs_neither_token_nor_kafka(
    run: Runs, service: FakeGoszakup, tmp_path: Path
) -> None:
    def connect(*_: Any) -> FakeKafka:
        raise BrokerLost("Kafka does not answer.")

    result = run("--dry-run", "--register", "lots", "--since", "2026-01-15", connect=connect, goszakup_token=None)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        f"GET {service.url}/v3/lots?limit=10  lots: full, from its beginning",
        f"GET {service.url}/v3/journal?date_from=2026-01-15&limit=10  journal: changes, changes since 2026-01-15, from "
        "its beginning",
    ]
    assert service.requests == []
    assert not (chosen(tmp_path, service.url).data / "collections").exists()


def test_a_register_that_fails_ends_with_1_and_the_way_on(run: Runs, service: FakeGoszakup) -> None:
    service.put("/v3/lots", rows(25, 25))
    result = run("--register", "lots", "--register", "acts")
    assert result.exit_code == 1
    assert "acts is not complete: " in result.stderr
    assert "answered 404" in result.stderr.replace("\n", " ")
    assert "Running it again goes on from the last page that Kafka acknowledged" in result.stdout
    assert "acts (incomplete)" in result.stdout


def test_kafka_that_is_down_ends_with_1(run: Runs, service: FakeGoszakup) -> None:
    def connect(*_: Any) -> FakeKafka:
        raise BrokerLost("Kafka does not answer. Start it with ./start.sh")

    result = run("--register", "lots", connect=connect)
    assert result.exit_code == 1
    assert "Kafka does not answer. Start it with ./start.sh" in result.stderr
    assert service.requests == []


def test_ctrl_c_ends_with_130_and_keeps_the_place(
    run: Runs, service: FakeGoszakup, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.put("/v3/lots", rows(25, 25))

    async def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ingestion.procurement.goszakup.collection_run._shown", interrupted)
    result = run("--register", "lots")
    assert result.exit_code == 130
    assert "Stopped by Ctrl-C or SIGTERM." in result.stderr


@pytest.mark.parametrize("at_ctrl_c", [signal.default_int_handler, signal.SIG_IGN])
def test_sigterm_ends_as_ctrl_c_does_with_all_that_is_due(
    run: Runs, service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_ctrl_c: Any
) -> None:
    service.put("/v3/lots", rows(25, 25))
    before = signal.signal(signal.SIGINT, at_ctrl_c)

    async def terminated(*_: Any) -> None:
        while not kafka.waiting:
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    monkeypatch.setattr("ingestion.procurement.goszakup.collection_run._shown", terminated)
    try:
        with stopped_by_sigterm():
            result = run("--register", "lots")
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.exit_code == 130, result.output
    assert "Stopped by Ctrl-C or SIGTERM." in result.stderr
    assert len(kafka.kept) >= 10, "what was on its way is heard of"
    (row,) = waiting(tmp_path, service.url)
    assert (row["register_name"], row["is_complete"]) == ("lots", False)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_run_that_was_killed_is_journalled_by_the_next_one(
    run: Runs, service: FakeGoszakup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.put("/v3/lots", rows(25, 25))
    with monkeypatch.context() as patched:
        patched.setattr(Collection, "_report", lambda *_: _gone())
        result = run("--register", "lots", connect=lambda *_: FakeKafka(dies_after=15))
    assert isinstance(result.exception, Gone)
    assert waiting(tmp_path, service.url) == []
    assert run("--register", "lots").exit_code == 0
    cut, good = sorted(waiting(tmp_path, service.url), key=lambda row: bool(row["is_complete"]))
    assert (cut["register_name"], cut["is_complete"], good["is_complete"]) == ("lots", False, True)
    assert cut["message"] == "The run was cut off; the walk stands after 1 pages with 10 rows."
    assert cut["run_id"] != good["run_id"]
    assert run("--register", "lots").exit_code == 0
    assert len(waiting(tmp_path, service.url)) == 3, "it is told once"


class Gone(Exception):
    """The process is gone before it could tell anything."""


def _gone() -> None:
    raise Gone
