"""The command that builds gold tables: what it is asked for, and what it says when it can't."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from conf import Settings
from jobs.commands import run
from jobs.core.errors import Refused
from jobs.core.journal import Run, State
from schemas.contract import tables
from tests.support.commands import exit_code


def test_nightly_is_everything_each_after_its_sources() -> None:
    names = [t.name for t in run.chosen("nightly")]

    assert sorted(names) == [t.name for t in tables() if t.refresh == "nightly"]
    assert names.index("gold.purchases_seller_daily") < names.index("gold.purchases_revenue_anomalies")


@pytest.mark.parametrize(
    ("name", "count"), [("purchases", 11), ("gold.purchases_hourly", 1), ("purchases_hourly", 1)]
)  # fmt: skip
def test_a_domain_or_one_table(name: str, count: int) -> None:
    assert len([t for t in run.chosen(name) if t.domain == "purchases"]) == count


def test_tables_without_a_day_can_be_left_out() -> None:
    by_day = run.chosen("purchases", only_by_day=True)

    assert {t.name for t in by_day} == {t.name for t in tables("gold", "purchases") if t.day}
    with pytest.raises(Refused, match="can be built by day"):
        run.chosen("gold.purchases_products", only_by_day=True)


def test_an_unknown_name_lists_the_valid_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(run.main, ["nightli"]) == 2

    error_text = capsys.readouterr().err
    assert error_text.startswith("No job is called 'nightli'; there are: nightly, ")
    assert "purchases, " in error_text
    assert "gold.purchases_seller_daily" in error_text


@pytest.mark.parametrize("day", ["2026-2-31", "tomorrow", "20260105", "1999-12-31", "2999-01-01", ""])
def test_a_bad_day_says_what_a_good_one_is(capsys: pytest.CaptureFixture[str], day: str) -> None:
    assert exit_code(run.main, ["nightly", "--day", day]) == 2
    assert "is no day that can be built; the days are 2000-01-01 to " in capsys.readouterr().err


def test_days_from_2000_to_tomorrow_are_good() -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)

    assert run.checked_day("2000-01-01") == date(2000, 1, 1)
    assert run.checked_day(str(tomorrow)) == tomorrow
    assert run.checked_day(None) is None
    with pytest.raises(Refused):
        run.checked_day(str(tomorrow + timedelta(days=1)))


@pytest.mark.parametrize(
    ("states", "code", "reported"),
    [
        (["done", "done"], 0, "done"),
        (["done", "stopped"], 3, "stopped"),
        (["stopped", "failed", "done"], 1, "failed"),
    ],
)
def test_what_only_a_gate_stopped_has_an_exit_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], states: list[State], code: int, reported: str
) -> None:
    built = [Run("r", table, "all", state) for table, state in zip(tables("gold"), states, strict=False)]
    monkeypatch.setattr(run, "build", lambda *_: built)

    assert exit_code(run.main, ["purchases", "--json"]) == code
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["state"] == reported


def test_the_names_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(run.main, ["--list"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["nightly", "purchases"]


def test_a_part_that_is_down_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # Nobody listens on port 1.
    down = Settings(stack="unit", home=tmp_path, minio_port=1, clickhouse_port=1)
    monkeypatch.setattr(run, "settings", lambda: down)

    assert exit_code(run.main, ["nightly"]) == 1
    error_text = capsys.readouterr().err
    assert "MinIO (the lake) does not answer at 127.0.0.1:1." in error_text
    assert "ClickHouse does not answer at 127.0.0.1:1." in error_text
    assert "./start.sh" in error_text
