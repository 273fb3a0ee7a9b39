"""The command of keys: what it prints for people, and for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from api import keys
from api.backends import keys as stored


class Database:
    """Keeps the rows of one session of the command."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, sql: str, values: Any = None) -> Database:
        if sql.startswith("INSERT"):
            self.rows.append(values | {"created_at": datetime.now(UTC), "revoked_at": None})
        return self

    def fetchall(self) -> list[dict[str, Any]]:
        return self.rows

    def fetchone(self) -> dict[str, Any] | None:
        return self.rows[0] if self.rows else None


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    created = Database()
    monkeypatch.setattr(keys, "_connected", lambda: created)
    return created


def run(*words: str) -> str:
    answer = CliRunner().invoke(keys.main, words)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_for_programs_there_is_json_only(database: Database) -> None:
    created = json.loads(run("create", "Aigul's shop", "--scope", "read", "--days", "3", "--json"))
    assert stored.key_id_of(created["key"]) == created["key_id"]
    assert (created["name"], created["scopes"], created["rate_per_minute"]) == ("Aigul's shop", ["read"], 6_000)
    database.rows[0]["expires_at"] = datetime.now(UTC) - timedelta(days=1)
    (listed,) = json.loads(run("list", "--json"))
    assert (listed["key_id"], listed["state"]) == (created["key_id"], "expired")
    assert not {"key", "key_hash"} & listed.keys()
    assert json.loads(run("revoke", created["key_id"], "--json"))["state"] == "revoked"


def test_a_key_is_one_line_and_nothing_else(database: Database) -> None:
    text = run("create", "x" * 300, "--scope", "admin")

    assert stored.hashed(text.removesuffix("\n")) == database.rows[0]["key_hash"]
    (line,) = run("list").splitlines()
    assert line.endswith("x" * 300)
