"""The door: help for everything, sentences instead of stack traces, exit codes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from conf import REPOSITORY, Settings
from infra.local import command_line
from infra.local.commands import job, sql, urls
from infra.local.commands.status import span
from infra.local.errors import Failed
from infra.local.stack import Stack
from infra.local.start.demo import last_json, percentile

COMMANDS = command_line.cli.list_commands(click.Context(command_line.cli))


def start(*words: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("SAUDA_")}
    env |= {"SAUDA_HOME": str(home), "SAUDA_PORT_OFFSET": "22000", "PYTHONPATH": str(REPOSITORY)} | settings
    command = [sys.executable, "-m", "infra.local", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    answer = CliRunner().invoke(command_line.cli, [command, "--help"])
    assert answer.exit_code == 0
    assert len(answer.output.splitlines()) > 4


def test_the_help_lists_what_the_readme_promises() -> None:
    shown = CliRunner().invoke(command_line.cli, ["--help"]).output
    promised = "test status doctor urls sql ingest job backfill reconcile settle check drift collection logs down reset"
    for command in promised.split():
        assert f"\n  {command} " in shown


@pytest.mark.parametrize(
    ("words", "settings", "code", "sentence"),
    [
        (["nonsense"], {}, 2, "No such command 'nonsense'"),
        (["logs", "nothing"], {}, 2, "There is no log of 'nothing'"),
        (["status"], {"SAUDA_KAFKA_PORT": "many"}, 2, "SAUDA_KAFKA_PORT=many"),
        (["test"], {"SAUDA_STACK": "main"}, 2, "do not run on `main`"),
        (["ingest", "purchases.file", "x.csv"], {}, 1, "Kafka: nothing listens on its port"),
        (["job", "nightly"], {}, 1, "MinIO: nothing listens on its port"),
        (["backfill", "purchases", "2026-03-01", "2026-03-02"], {}, 1, "Airflow: nothing listens on its port"),
        (["backfill", "procurement", "2026-03-01", "2026-03-02"], {}, 2, "there are those of: purchases"),
        (["backfill", "purchases", "2026-03-02", "2026-03-01"], {}, 2, "backfill purchases 2026-03-01 2026-03-02"),
        (["backfill", "purchases", "2026-03-01", "2999-01-01"], {}, 2, "2999-01-01 lies ahead"),
        (["backfill", "purchases", "March", "2026-03-01"], {}, 2, "'March' does not match"),
        (["check", "procurement"], {}, 1, "ClickHouse: nothing listens on its port"),
        (["settle", "purchases"], {}, 1, "Kafka: nothing listens on its port"),
        (["collection", "list"], {}, 1, "ClickHouse: nothing listens on its port"),
        (["collection", "drop", "x", "--yes"], {}, 1, "Kafka: nothing listens on its port"),
        (["sql", "SELECT 1"], {}, 1, "ClickHouse does not answer on 127.0.0.1"),
        (["keys", "list"], {}, 1, "PostgreSQL does not answer. Start it: ./start.sh"),
        (["keys", "create", "Aigul", "--scope", "everything"], {}, 2, "'everything' is not one of 'read'"),
        (["down"], {}, 0, "Nothing was running."),
        (["reset", "--yes"], {}, 0, "is empty"),
    ],
)
def test_a_mistake_is_a_sentence_and_an_exit_code(
    tmp_path: Path, words: list[str], settings: dict[str, str], code: int, sentence: str
) -> None:
    answer = start(*words, home=tmp_path, **settings)
    assert answer.returncode == code, answer.stderr
    assert sentence in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        answer = start("up-parts", home=tmp_path, SAUDA_KAFKA_PORT=port)
    assert answer.returncode == 2
    assert f"Port {port}, for Kafka, is taken by" in answer.stderr
    assert f"(pid {os.getpid()})" in answer.stderr
    assert not (tmp_path / "stacks" / "main" / "run" / "supervisord.conf").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nightly"], ["jobs.commands.run", "nightly"]),
        (["gold.x", "--day", "2026-03-01", "--json"], ["jobs.commands.run", "gold.x", "--day", "2026-03-01", "--json"]),
        (["--json", "nightly"], ["jobs.commands.run", "nightly", "--json"]),
        (["procurement.indicators", "--collection", "c"], ["jobs.procurement.indicators", "--collection", "c"]),
        (["procurement.indicators", "--help"], ["jobs.procurement.indicators", "--help"]),
        (["core.lake"], ["jobs.commands.run", "core.lake"]),
        (["../x"], ["jobs.commands.run", "../x"]),
    ],
)
def test_a_job_is_tables_or_an_analysis(
    monkeypatch: pytest.MonkeyPatch, stack_settings: Settings, words: list[str], expected: list[str]
) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(Stack, "need", lambda *_: None)
    monkeypatch.setattr(command_line, "current", lambda: stack_settings)
    monkeypatch.setattr(job, "current", lambda: stack_settings)
    monkeypatch.setattr(job, "pass_on", lambda _settings, _part, command: called.append(list(command)))
    assert CliRunner().invoke(command_line.cli, ["job", *words]).exit_code == 0
    assert called == [expected]


def test_urls_show_passwords_only_when_asked(stack_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "current", lambda: stack_settings)
    password = stack_settings.secrets.clickhouse_reader
    assert password not in CliRunner().invoke(command_line.cli, ["urls"]).output
    assert password in CliRunner().invoke(command_line.cli, ["urls", "--passwords"]).output
    document = json.loads(CliRunner().invoke(command_line.cli, ["urls", "--json"]).stdout)
    assert {"part", "what", "address", "user", "runs"} == set(document[0])
    assert password not in str(document)
    document = json.loads(CliRunner().invoke(command_line.cli, ["urls", "--passwords", "--json"]).stdout)
    assert password in [each["password"] for each in document]


def test_an_answer_is_shown_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    meta = [{"name": "seller", "type": "String"}, {"name": "revenue", "type": "Decimal(18, 4)"}]
    sql.print_answer({"meta": meta, "data": [["[bold]", "12.5000"], [None, "7.0000"]]}, command_line.out())
    shown = capsys.readouterr().out
    assert "[bold]" in shown
    assert "12.5000" in shown
    assert "2 rows" in shown


def test_small_helpers() -> None:
    assert last_json('noise\n{"sent": 3}\n') == {"sent": 3}
    with pytest.raises(Failed):
        last_json("noise")
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile([], 99) == 0.0
    assert [span(5), span(600), span(3723)] == ["5 s", "10 min", "1 h 02 min"]


@pytest.mark.parametrize("name", ["a:b", "a,b", "a #b"])
def test_a_folder_whose_name_java_would_split_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    answer = start("status", home=tmp_path / name)

    assert answer.returncode == 2
    assert f"{tmp_path / name} has '" in answer.stderr
    assert "Move it to a folder without." in answer.stderr


def test_a_wrong_setting_is_told_without_the_secrets_beside_it(tmp_path: Path) -> None:
    answer = start("status", home=tmp_path, SAUDA_KAFKA_PASSWORD="hush", SAUDA_KAFKA_BOOTSTRAP="a:1")

    assert answer.returncode == 2
    assert "SAUDA_KAFKA_USER and SAUDA_KAFKA_PASSWORD are set together" in answer.stderr
    assert "hush" not in answer.stderr + answer.stdout
