"""The command that judges silver, over answers of a ClickHouse that are written here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from jobs.commands import check
from jobs.commands.check import main
from jobs.gates.quality import QUALITY
from tests.support.commands import exit_code

LOTS, TENDERS = "silver.procurement_lots", "silver.procurement_tenders"


@dataclass
class Answer:
    result_rows: Sequence[Sequence[Any]]


@dataclass
class Server:
    """Knows how many lots there are (and as many tenders), how many there were, how many name a tender that is none."""

    lots: dict[str, int]
    before: dict[str, int] = field(default_factory=dict)
    broken: int = 0
    refused: list[tuple[str, str, int, str, str]] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    is_closed: bool = False

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Answer:
        if QUALITY.name in sql:
            assert parameters == {"domain": "procurement", "check": "row_count.keeps"}
            return Answer([(code, LOTS, rows) for code, rows in self.before.items()])
        if "ops.quarantine" in sql:
            assert "kafka_topic IN ('procurement-events')" in sql
            return Answer(self.refused)
        is_for_all = "WHERE collection_code" not in sql
        requests = {code: rows for code, rows in self.lots.items() if is_for_all or f"= '{code}'" in sql}
        if "counted_table" in sql:
            actual = [name for name in (LOTS, TENDERS) if f"{name.partition('.')[2]}_latest" in sql]
            return Answer([(code, name, rows) for code, rows in requests.items() for name in actual])
        if "FROM `silver`.`procurement_lots_latest`" not in sql or "arrayJoin" in sql:
            return Answer([])
        tender, nothing = (100, self.broken, "lot_id 1: tender_id 2"), (0, 0, "")
        return Answer([(code, *tender, *nothing * (sql.count("countIf") // 2 - 1)) for code in requests])

    def insert(self, table: str, rows: Sequence[Sequence[Any]], column_names: Sequence[str]) -> None:
        assert table == QUALITY.name
        self.kept += [dict(zip(column_names, row, strict=True)) for row in rows]

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command with a server: the exit code, the JSON at the end, and all that was said."""

    def command(server: Server, *words: str) -> tuple[int, dict[str, Any], str]:
        monkeypatch.setattr(check, "need_parts", lambda *_, **__: None)
        monkeypatch.setattr(check, "apply_clickhouse", lambda *_: [])
        monkeypatch.setattr(check, "clickhouse", lambda *_, **__: server)
        code = exit_code(main, ["procurement", "--json", *words])
        captured = capsys.readouterr()
        assert captured.out.count("\n") <= 1, "stdout has JSON only"
        last = captured.out or "{}"
        assert server.is_closed
        return code, json.loads(last), captured.out + captured.err

    return command


def test_what_is_found_is_told_and_kept(run: Any) -> None:
    server = Server({"a": 90}, {"a": 100}, broken=3)
    code, report, output = run(server)

    assert (code, report["state"]) == (3, "stopped")
    assert "procurement, collection a: " in output
    assert f"  ✗ {LOTS}: 90 rows, 100 at the check before: 10 % are gone\n" in output
    assert "; 3 of 100 are none, for example lot_id 1: tender_id 2\n" in output
    assert "make it the new base: ./start.sh check procurement --accept" in output
    assert len(server.kept) == len(report["checks"])
    assert {row["run_id"] for row in server.kept} == {report["run_id"]}
    assert {(row["domain"], row["collection_code"]) for row in server.kept} == {("procurement", "a")}


def test_a_warning_stops_nothing(run: Any) -> None:
    code, report, output = run(Server({"a": 100}, broken=5))

    assert (code, report["state"]) == (0, "warned")
    assert "--accept" not in output


def test_a_smaller_count_can_be_accepted(run: Any) -> None:
    server = Server({"a": 9}, {"a": 100})
    code, report, _ = run(server, "--accept")

    assert (code, report["state"]) == (0, "passed")
    kept = next(row for row in server.kept if row["check_name"] == "row_count.keeps")
    assert (kept["row_count"], kept["outcome"]) == (9, "passed")


def test_a_table_that_lost_all_rows_is_missed(run: Any) -> None:
    code, report, _ = run(Server({}, {"a": 100}), "--collection", "a")

    assert code == 3
    assert report["checks"][0]["sentence"] == "0 rows, 100 at the check before: all of them are gone"


def test_only_the_collection_that_was_asked_for_is_judged(run: Any) -> None:
    _, report, _ = run(Server({"a": 100, "b": 50}, {"a": 100, "b": 999}), "--collection", "a")

    assert {check["collection_code"] for check in report["checks"]} == {"a"}


def test_an_unknown_collection_is_the_callers_mistake(run: Any) -> None:
    code, _, output = run(Server({"b": 50}), "--collection", "a")

    assert (code, output) == (2, "No collection is called 'a'; there are: b\n")


def test_before_anything_came_there_is_nothing_to_check(run: Any) -> None:
    code, report, output = run(Server({}))

    assert (code, report["checks"]) == (0, [])
    assert output.endswith("There is no row of procurement yet, so there is nothing to check.\n")


def test_an_unknown_domain_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(main, ["nothing"]) == 2
    error_text = capsys.readouterr().err
    assert error_text.startswith("No domain to check is called 'nothing'; there are: ")
    assert "procurement" in error_text


def test_what_is_in_quarantine_is_said_with_its_commonest_reasons(run: Any) -> None:
    refused = [
        ("a", "amount.money", 12, "a:lots:7:x", "amount must be an amount; it is 'much'"),
        ("a", "record.json", 2, "a:lots:8:y", "must be JSON"),
        ("b", "record.json", 1, "b:lots:1:z", "must be JSON"),
    ]
    server = Server({"a": 90, "b": 5, "c": 1}, refused=refused)
    code, report, output = run(server)

    assert (code, report["state"]) == (0, "warned")
    assert (
        "  ! ops.quarantine: 14 events are in quarantine: 12 by amount.money, 2 by record.json, "
        "for example a:lots:7:x: amount must be an amount; it is 'much'\n"
    ) in output
    actual = {row["collection_code"]: row for row in server.kept if row["check_name"] == "event.is_refused"}
    assert {code: (row["row_count"], row["outcome"]) for code, row in actual.items()} == {
        "a": (14, "warned"), "b": (1, "warned"), "c": (0, "passed"),
    }  # fmt: skip


def test_of_one_collection_only_its_quarantine_is_said(run: Any) -> None:
    server = Server({"a": 90, "b": 5}, refused=[("b", "record.json", 1, "b:1", "must be JSON")])
    run(server, "--collection", "a")

    assert [r["collection_code"] for r in server.kept if r["check_name"] == "event.is_refused"] == ["a"]
