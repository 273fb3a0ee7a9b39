"""Which version of a Delta table stands, by its log alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from conf import Settings
from jobs.core.lake import S3Lake
from tests.support.delta_log import add, metadata, write_commit

SCHEMA: dict[str, Any] = {
    "type": "struct", "fields": [{"name": "n", "type": "long", "nullable": True, "metadata": {}}],
}  # fmt: skip


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Settings, "table_path", lambda _settings, name: str(tmp_path / name))
    return tmp_path / "gold.sales"


def version() -> int | None:
    return S3Lake(Settings()).version("gold.sales")


def write(table: Path, last: int) -> None:
    write_commit(table, 0, metadata(SCHEMA))
    for number in range(1, last + 1):
        write_commit(table, number, add(f"{number}.parquet"))


def test_the_newest_commit_counts(table: Path) -> None:
    write(table, 11)

    assert version() == 11


@pytest.mark.usefixtures("table")
def test_no_log_is_no_table() -> None:
    assert version() is None


def test_what_is_no_commit_does_not_count(table: Path) -> None:
    write(table, 3)
    log = table / "_delta_log"
    for name in ("00000000000000000007.json.tmp", f"{1:020}.{9:020}.json.tmp", "_last_vacuum_info"):
        (log / name).write_text("")

    assert version() == 3


def test_commits_before_a_checkpoint_may_be_gone(table: Path) -> None:
    write(table, 4)
    DeltaTable(table).create_checkpoint()
    for number in range(5):
        (table / "_delta_log" / f"{number:020}.json").unlink()
    write_commit(table, 5, add("5.parquet"))

    assert version() == 5
