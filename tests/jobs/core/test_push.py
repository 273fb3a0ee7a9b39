"""Publishing, over a ClickHouse that only listens; the real one is asked in tests/services."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from jobs.core.errors import Failed
from jobs.core.fingerprint import Facts
from jobs.core.push import drop_leftovers, push
from tests.support.sample_contracts import SAMPLE_DAILY

FACTS = Facts(2, 77, {"a_kzt": Decimal(3), "b_kzt": Decimal(1), "c_kzt": Decimal(2)})
FRESH = "staging.sample_daily__run1"


@dataclass
class Answer:
    result_rows: list[Any]


@dataclass
class FakeClient:
    """Answers each query with the same rows; dies at a command that begins with `dies_at`."""

    rows: list[Any] = field(default_factory=lambda: [(2, 77, Decimal(3), Decimal(1), Decimal(2))])
    dies_at: str = "never"
    statements: list[str] = field(default_factory=list)

    def command(self, sql: str, **_: Any) -> None:
        if sql.startswith(self.dies_at):
            raise ConnectionError("gone")
        self.statements.append(sql)

    def query(self, sql: str) -> Answer:
        self.statements.append(sql)
        return Answer(self.rows)


def publish(client: FakeClient) -> None:
    push(client, SAMPLE_DAILY, "http://s3/lake/gold/sample_daily/", 7, FACTS, "run1")  # type: ignore[arg-type]


def test_the_pinned_version_is_loaded_compared_and_swapped() -> None:
    client = FakeClient()
    publish(client)
    create, insert, compare, swap, drop = client.statements

    assert create.startswith("CREATE TABLE IF NOT EXISTS `staging`.`sample_daily__run1`")
    assert insert.startswith(f"INSERT INTO {FRESH} (`seller_id`, `sold_on`, `a_kzt`, `b_kzt`, `c_kzt`) SELECT ")
    assert insert.endswith(
        "FROM deltaLake(lake, url = 'http://s3/lake/gold/sample_daily/') SETTINGS delta_lake_snapshot_version = 7"
    )
    assert compare.strip().endswith(f"FROM {FRESH}")
    assert (swap, drop) == (f"EXCHANGE TABLES {FRESH} AND gold.sample_daily", f"DROP TABLE {FRESH}")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ((1, 77, 3, 1, 2), "1 rows against 2"),
        ((2, 77, 3, 1, Decimal("2.0001")), r"2\.0001 against 2 in the sum of c_kzt"),
        ((2, 78, 3, 1, 2), "checksum 78 against 77"),
    ],
)
def test_other_rows_are_not_swapped_in(row: tuple[Any, ...], sentence: str) -> None:
    client = FakeClient([row])
    with pytest.raises(Failed, match=f"gold.sample_daily was not swapped: .* {sentence}"):
        publish(client)

    assert not [output for output in client.statements if output.startswith("EXCHANGE")]
    assert client.statements[-1] == f"DROP TABLE {FRESH}"


@pytest.mark.parametrize("step", ["CREATE", "INSERT", "EXCHANGE"])
def test_a_failure_before_the_swap_touches_nothing_that_is_read(step: str) -> None:
    client = FakeClient(dies_at=step)
    with pytest.raises(ConnectionError):
        publish(client)

    assert not [
        output
        for output in client.statements
        if "gold" in output.replace("/gold/", "") and not output.startswith("CREATE")
    ]


def test_what_killed_runs_left_is_dropped() -> None:
    client = FakeClient(rows=[("sample_daily__old",), ("hours__older",)])

    assert drop_leftovers(client) == ["sample_daily__old", "hours__older"]  # type: ignore[arg-type]
    assert client.statements[-2:] == [
        "DROP TABLE IF EXISTS staging.`sample_daily__old`", "DROP TABLE IF EXISTS staging.`hours__older`"
    ]  # fmt: skip


def test_what_other_domains_load_at_this_moment_stays() -> None:
    client = FakeClient(rows=[("purchases_hourly__20260301_ab",), ("shop_products__20260301_cd",), ("gone__x",)])

    assert drop_leftovers(client, ["shop"]) == ["shop_products__20260301_cd"]  # type: ignore[arg-type]
