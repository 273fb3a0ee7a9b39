"""What is filled into ClickHouse from the lake: only tables that got rows are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conf import Settings
from streaming.core import backfill
from streaming.core.backfill import Filler
from streaming.core.progress import Progress
from streaming.core.registry import chosen_domains

LOTS, TENDERS = "kz.goszakup.lots", "kz.goszakup.trd_buy_all"


class Answer:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.result_rows = rows


class Server:
    """ClickHouse, whose lake has these types of events. `asked` is all that was said to it."""

    def __init__(self, *types: str | None) -> None:
        self.types, self.queries = types, list[str]()

    def query(self, sql: str, **_: Any) -> Answer:
        self.queries.append(sql)
        return Answer([(kind,) for kind in self.types])

    def command(self, sql: str, **_: Any) -> None:
        self.queries.append(sql)

    def close(self) -> None:
        pass

    @property
    def filled(self) -> list[str]:
        return [sql.split()[2] for sql in self.queries if sql.startswith("INSERT INTO")]


def filled(monkeypatch: pytest.MonkeyPatch, folder: Path, domain: str, server: Server) -> int:
    (actual,) = chosen_domains([domain])
    monkeypatch.setattr(backfill, "clickhouse", lambda *_, **__: server)
    filler = Filler(Settings(home=folder), actual, folder, lambda: {"0": 7, "1": 3}, Progress())
    return filler.fill()


def test_only_tables_whose_events_came_are_filled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = Server(LOTS, "nobody.knows", None)
    assert filled(monkeypatch, tmp_path, "procurement", server) == 10

    assert server.filled == ["silver.procurement_lots", "ops.quarantine"]
    (question,) = (sql for sql in server.queries if sql.startswith("SELECT"))
    assert "DISTINCT event_type" in question
    assert "warehouse/bronze/procurement" in question
    assert "(kafka_partition = 0 AND kafka_offset >= 0 AND kafka_offset < 7)" in question


def test_what_was_filled_is_not_filled_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    filled(monkeypatch, tmp_path, "procurement", Server(LOTS))
    server = Server(LOTS)

    assert filled(monkeypatch, tmp_path, "procurement", server) == 0
    assert server.queries == []


def test_a_domain_with_one_table_needs_no_question(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = Server()
    assert filled(monkeypatch, tmp_path, "rates", server) == 10

    assert server.queries == [sql for sql in server.queries if sql.startswith("INSERT INTO")]
    assert server.filled == ["silver.exchange_rates", "ops.quarantine"]
