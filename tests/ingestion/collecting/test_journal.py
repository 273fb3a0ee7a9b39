from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conf import Settings
from ingestion.collecting import journal
from ingestion.collecting.client import RequestCounts
from ingestion.collecting.run_stats import EndpointStats


def stats(name: str = "lots") -> EndpointStats:
    counts = RequestCounts(pages=3, retries=2, seconds=1.23456, slowest=0.5, not_found=4)
    return EndpointStats(
        name, "head", counts, rows=25, quarantined=1, started=1_770_000_000.0, finished=1_770_000_060.5
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_a_row_has_every_column_of_its_table(settings: Settings) -> None:
    written: list[list[list[Any]]] = []
    assert journal.write(settings, "goszakup", "run-1", [stats()], lambda _, rows, _token: written.append(rows)) == ""
    ((row,),) = written
    assert dict(zip(journal.COLUMNS, row, strict=True)) == {
        "run_id": "run-1", "collection_code": "goszakup", "register_name": "lots", "mode": "head", "page_count": 3,
        "row_count": 25, "retry_count": 2, "seconds": 1.235, "slowest_seconds": 0.5, "quarantined_count": 1,
        "not_found_count": 4, "is_complete": True, "message": "",
        "started_at": datetime(2026, 2, 2, 2, 40, tzinfo=UTC),
        "finished_at": datetime(2026, 2, 2, 2, 41, 0, 500_000, tzinfo=UTC),
    }  # fmt: skip
    assert journal.waiting(settings) == []


def test_rows_wait_for_clickhouse_and_are_sent_with_the_next_run(settings: Settings) -> None:
    def refuses(_settings: Settings, _rows: list[list[Any]], _token: str) -> None:
        raise ConnectionRefusedError("no ClickHouse")

    sentence = journal.write(settings, "goszakup", "run-1", [stats(), stats("acts")], refuses)
    port = settings.port("clickhouse")
    assert f"ClickHouse at 127.0.0.1:{port} did not take it (ConnectionRefusedError); its 2 rows wait in" in sentence
    (path,) = journal.waiting(settings)
    with path.open("a") as torn:
        torn.write('{"run_id": "ki\n')
    written: list[list[Any]] = []
    assert journal.write(settings, "goszakup", "run-2", [stats()], lambda _, rows, _token: written.extend(rows)) == ""
    named = [dict(zip(journal.COLUMNS, row, strict=True)) for row in written]
    assert [(output["run_id"], output["register_name"]) for output in named] == [
        ("run-1", "lots"),
        ("run-1", "acts"),
        ("run-2", "lots"),
    ]


def test_a_file_that_is_sent_twice_is_named_by_its_run_each_time(settings: Settings) -> None:
    """A crash after the insert, or a second collector, sends it again; ClickHouse takes a token once."""
    tokens: list[str] = []

    def is_killed(_settings: Settings, _rows: list[list[Any]], token: str) -> None:
        tokens.append(token)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        journal.write(settings, "goszakup", "run-1", [stats()], is_killed)
    journal.write(settings, "goszakup", "run-2", [stats()], lambda _, _rows, token: tokens.append(token))
    assert tokens == ["collect_runs.run-1", "collect_runs.run-1", "collect_runs.run-2"]


def test_what_another_collector_adds_meanwhile_is_kept(settings: Settings) -> None:
    def meets_another(_settings: Settings, rows: list[list[Any]], _token: str) -> None:
        assert len(rows) == 1
        journal.keep(settings, "goszakup", "run-2", [stats(), stats("acts")])

    assert journal.write(settings, "goszakup", "run-1", [stats()], meets_another) == ""
    (left,) = journal.waiting(settings)
    assert len(left.read_text(encoding="utf-8").splitlines()) == 2


def test_what_another_collector_has_sent_meanwhile_is_no_fault(settings: Settings) -> None:
    for name in ("run-1", "run-2"):
        journal.keep(settings, "goszakup", name, [stats()])
    written: list[str] = []

    def meets_another(_settings: Settings, _rows: list[list[Any]], token: str) -> None:
        written.append(token)
        for path in journal.waiting(settings):
            path.unlink()

    assert journal.write(settings, "goszakup", "run-3", [stats()], meets_another) == ""
    assert written == ["collect_runs.run-1"]


def test_rows_that_an_earlier_version_left_are_sent_too(settings: Settings) -> None:
    journal.keep(settings, "goszakup", "run-1", [stats()])
    (path,) = journal.waiting(settings)
    path.rename(path.with_name("collect_runs.jsonl"))
    written: list[list[Any]] = []
    assert journal.write(settings, "goszakup", "run-2", [], lambda _, rows, _token: written.extend(rows)) == ""
    assert (len(written), journal.waiting(settings)) == (1, [])


def test_a_failure_is_told_once_and_makes_the_run_incomplete() -> None:
    failing = stats()
    failing.fail("It broke.")
    failing.fail("It broke.")
    output = journal.row("run-1", failing, "goszakup")
    assert (output["is_complete"], output["message"], failing.failed) == (False, "It broke.", 2)
