"""Keys: which open, how they are kept, how often they may ask."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.backends import keys
from api.backends.keys import Key, hashed
from api.backends.table_cache import TableCache
from api.http.problems import Problem
from api.http.rate_limit import RateLimiter
from api.registry import scopes
from conf import Settings
from conf.postgres_values import Unreadable
from tests.api.asking import KEYS, RUNNER, Client, FakeTable, problem, table_cache

NOW = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("header", [
    None, "", "Bearer", "Bearer ", "Bearer k1", "Bearer k1.", "Bearer .x", "Bearer k1.wrong", "Bearer nobody.x",
    "Basic " + KEYS["admin"], KEYS["admin"], "Bearer " + KEYS["admin"] + "x", "Bearer k1." + "x" * 10_000,
    "Bearer ключ.ю",
])  # fmt: skip
def test_without_a_good_key_nothing_is_answered(api: Client, header: str | None) -> None:
    headers = {"Authorization": header.encode()} if header is not None else {}
    answer = api.ask("GET", "/v1/purchases/1", None, headers=headers)

    answered = problem(answer, 401)
    assert answer.headers["www-authenticate"] == 'Bearer realm="sauda"'
    assert "a-key-of-the-tests" not in str(answered)
    assert api.warehouse.queries == []


def test_health_and_metrics_need_no_key(api: Client) -> None:
    for path in ("/healthz", "/version", "/metrics", "/openapi.json", "/docs"):
        assert api.get(path, None).status_code == 200


def test_a_key_opens_as_long_as_it_is_good() -> None:
    text, row = keys.new("Aigul", ("read",), 60, NOW + timedelta(days=1))
    key = Key.of(row | {"revoked_at": None})

    assert key.opens(text, NOW)
    assert not key.opens(text, NOW + timedelta(days=1))
    assert not key.opens(text + "x", NOW)
    assert not Key.of(row | {"revoked_at": NOW}).opens(text, NOW)


def test_a_key_is_256_random_bits_and_kept_as_a_hash() -> None:
    texts = {keys.new("Aigul", ("read",), 60, None)[0] for _ in range(50)}
    text, row = keys.new("Aigul", ("read",), 60, None)

    assert len({text.partition(".")[2] for text in texts}) == 50
    assert {len(text.partition(".")[2]) for text in texts} == {43}
    assert row["key_hash"] == hashed(text)
    assert text.partition(".")[2] not in str(row)
    assert row["key_id"] == text.partition(".")[0]


def test_the_demo_s_key_is_that_of_the_secrets(tmp_path: Path) -> None:
    settings = Settings(stack="unit", home=tmp_path)
    row = keys.demo(settings)

    assert row["key_id"] == "demo"
    assert Key.of(row | {"revoked_at": None}).opens(settings.secrets.api_key, NOW)
    assert settings.secrets.api_key not in repr(settings.secrets)


def test_admin_may_everything_and_others_what_they_were_given() -> None:
    key = Key("k", b"", "", frozenset({"read"}), 1)

    assert [key.may(scope) for scope in scopes()] == [True, False, False, False, False]
    assert all(Key("k", b"", "", frozenset({"admin"}), 1).may(scope) for scope in scopes())


def test_a_key_that_asks_too_often_is_told_when_to_come_back(api: Client) -> None:
    assert api.get("/v1/purchases/1", "slow").status_code == 404

    answer = api.get("/v1/purchases/1", "slow")

    assert problem(answer, 429)["detail"] == "This key allows 6 requests a minute. Try again in 10 seconds."
    assert answer.headers["retry-after"] == "10"
    assert api.get("/v1/purchases/1", "reader").status_code == 404


def test_buckets_fill_with_time_and_no_higher_than_ten_seconds() -> None:
    clock = [0.0]
    rates = RateLimiter(lambda: clock[0])

    def taken() -> int:
        count = 0
        try:
            while True:
                rates.take("k", 60)
                count += 1
        except Problem:
            return count

    assert taken() == 10
    clock[0] = 3.5
    assert taken() == 3
    clock[0] = 4.0
    assert taken() == 1
    clock[0] = 1_000.0
    assert taken() == 10


def test_a_mirror_finds_what_is_new_and_remembers_what_is_not_there() -> None:
    table = FakeTable({"a": 1})
    held = table_cache(table)

    assert RUNNER.run(held.get("a")) == 1
    assert RUNNER.run(held.missing(["a", "b", "c"])) == {"b", "c"}
    assert RUNNER.run(held.missing(["b", "c"])) == {"b", "c"}
    assert table.queries == [["b", "c"]]
    held.know("b", 2)
    assert RUNNER.run(held.get("b")) == 2
    held.forget("b")
    assert RUNNER.run(held.get("b")) is None


def test_a_mirror_lasts_while_postgresql_is_away_and_then_ends() -> None:
    clock = [0.0]
    table = FakeTable({"a": 1})
    held: TableCache[int] = TableCache(
        table.load, table.find, fresh_seconds=5, stale_seconds=60, clock=lambda: clock[0]
    )
    RUNNER.run(held.get("a"))
    table.is_away = True

    clock[0] = 60.0
    assert RUNNER.run(held.get("a")) == 1
    with pytest.raises(Problem, match="PostgreSQL"):
        RUNNER.run(held.get("b"))
    clock[0] = 61.0
    with pytest.raises(Problem, match="PostgreSQL"):
        RUNNER.run(held.get("a"))


def test_what_was_deleted_here_is_not_brought_back_by_an_older_answer() -> None:
    """PostgreSQL was asked before the row was deleted, and answers after."""
    table = FakeTable({"a": 1, "b": 2})
    may_answer = asyncio.Event()

    async def load() -> dict[str, int]:
        rows = await table.load()
        await may_answer.wait()
        return rows

    async def run() -> tuple[int | None, int | None]:
        held: TableCache[int] = TableCache(load, table.find, fresh_seconds=5, stale_seconds=60)
        loading = asyncio.ensure_future(held.refresh())
        await asyncio.sleep(0)
        held.know("c", 3)
        del table.rows["a"]
        held.forget("a")
        may_answer.set()
        await loading
        return await held.get("a"), await held.get("c")

    assert RUNNER.run(run()) == (None, 3)


@pytest.mark.parametrize(
    ("expires_at", "is_good"), [("infinity", True), ("12000-01-01 00:00:00+00", True), ("-infinity", False)]
)
def test_a_key_may_end_when_no_time_of_ours_is(expires_at: str, is_good: bool) -> None:
    text, row = keys.new("shop", ("read",), 60, None)
    key = Key.of(row | {"expires_at": Unreadable(expires_at), "revoked_at": None})

    assert key.opens(text, datetime.now(UTC)) == is_good
