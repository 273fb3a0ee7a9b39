"""The live lane before a real ClickHouse (chdb): a copy counts once and of a number the last holds, at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pyarrow as pa
import pytest

from conf import settings
from schemas.contract import contract
from schemas.purchases.silver import PurchaseLines
from streaming.core import live
from streaming.core.live import LiveLane
from streaming.core.live_dedup import LiveDedup, hashes
from streaming.core.registry import domains
from tests.support.chdb_client import ChdbClient
from tests.support.clickhouse import definitions
from tests.support.purchases import purchase_lines

LINES = contract(PurchaseLines)
COLUMNS = [str(c) for c in LINES.serving_columns]
TYPES = {
    "ID": pa.string(), "CODE": pa.string(), "TEXT": pa.string(), "COUNT": pa.int64(), "DAY": pa.date32(),
    "INSTANT": pa.timestamp("us", "UTC"), "MONEY": pa.decimal128(18, 4), "FLAG": pa.bool_(),
}  # fmt: skip
SCHEMA = pa.schema([(str(c), TYPES[c.type.name]) for c in LINES.serving_columns])
(DOMAIN,) = (d for d in domains() if d.name == "purchases")
HELD = "SELECT event_id FROM silver.purchases ORDER BY event_id"
LISTED = (
    "SELECT event_id, superseded_by_event_id FROM ops.corrections "
    "ORDER BY event_id"
)  # fmt: skip
Sent = dict[str, Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChdbClient]:
    connection = ChdbClient(tmp_path_factory.mktemp("clickhouse"))
    for statement in definitions():
        connection.command(statement)
    yield connection
    connection.close()


class Shop:
    """A live lane and its tables. Events arrive in the order in which they are sent, second by second."""

    def __init__(self, client: ChdbClient) -> None:
        self.client, self.number, self.offset = client, 0, 0
        self.lane = self.started()

    def started(self) -> LiveLane:
        """Another process's lane over the same tables."""
        return LiveLane(cast("Any", None), settings(), DOMAIN, {LINES.name: LiveDedup(LINES, 30)})

    def arrived(self, text: str) -> pa.Table:
        """The lines drawn (event_id, purchase_id, seller_id, purchased_at, quantity), one event each, as a batch."""
        rows = purchase_lines(text)
        for row in rows:
            self.offset += 1
            row["ingested_at"] = rows[0]["ingested_at"].replace(
                year=2026, month=6, day=1, hour=0, minute=0, second=0, microsecond=0
            ) + timedelta(seconds=self.offset)
            row["kafka_offset"], row["kafka_partition"] = self.offset, self.offset % 2
            row["arrival"] = 2**62 - self.offset
        return pa.Table.from_pylist([{c: row[c] for c in COLUMNS} for row in rows], SCHEMA)

    def take(self, batch: pa.Table, lane: LiveLane | None = None) -> tuple[int, int, int]:
        """Lines inserted, events superseded, copies left out."""
        self.number += 1
        lane = lane or self.lane
        (branch,) = DOMAIN.branches
        taken = lane._take(branch, batch, f"live:test:{self.number}")
        return taken.lines.num_rows, taken.superseded, taken.copies

    def send(self, text: str) -> tuple[int, int, int]:
        return self.take(self.arrived(text))

    def held(self) -> list[str]:
        return [row[0] for row in self.client.query(HELD).result_rows]

    def listed(self) -> list[str]:
        return [">".join(row) for row in self.client.query(LISTED).result_rows]


@pytest.fixture
def shop(client: ChdbClient, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(live, "clickhouse", lambda _: client)
    for table in ("silver.purchase_lines", "silver.purchase_corrections"):
        client.command(f"TRUNCATE TABLE {table}")
    return Shop(client)


FIRST = """
    | event_id | line_no | purchase_id | seller_id | purchased_at     | quantity | line_amount |
    | a        | 0       | 7           | s         | 2026-01-31 23:59 | 1        | 100         |
    | b        | 0       | 8           | s         | 2026-01-31 23:59 | 1        | 10          |
"""


@pytest.mark.parametrize(
    ("seller", "day", "number"),
    [("s", "2026-01-31", "7"), ("s", "2026-02-01", "7"), ("t", "2026-01-31", "7"), ("t", "2025-02-01", "9")],
)
@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_copy_is_left_out_whatever_it_names(
    shop: Shop, seller: str, day: str, number: str, *, is_restarted: bool
) -> None:
    assert shop.send(FIRST) == (2, 0, 0)
    again = shop.arrived(f"""
        | event_id | line_no | purchase_id | seller_id | purchased_at | quantity | line_amount |
        | a        | 0       | {number}    | {seller}  | {day} 00:01  | 5        | 500         |
    """)
    lane = shop.started() if is_restarted else shop.lane

    assert shop.take(again, lane) == (0, 0, 1)
    assert (shop.held(), shop.listed()) == (["a", "b"], [])
    assert shop.client.query("SELECT sum(line_amount) FROM silver.purchase_lines FINAL").result_rows == [(110,)]


def test_a_copy_within_the_batch_is_left_out(shop: Shop) -> None:
    assert shop.send("""
        | event_id | line_no | purchase_id | seller_id | purchased_at     | quantity | line_amount |
        | a        | 0       | 7           | s         | 2026-01-31 23:59 | 1        | 100         |
        | a        | 0       | 7           | s         | 2026-02-01 00:01 | 1        | 100         |
    """) == (1, 0, 1)
    assert shop.client.query("SELECT toString(sold_on) FROM silver.purchase_lines").result_rows == [("2026-01-31",)]


def test_a_copy_after_the_window_is_an_event_anew_as_in_the_lake(shop: Shop) -> None:
    shop.send(FIRST)
    shop.offset += 31 * 86_400

    assert shop.send(FIRST) == (2, 0, 0)
    assert shop.listed() == [], "it is no correction of itself"


def test_of_a_number_the_last_holds_at_once_whatever_day_it_is_moved_to(shop: Shop) -> None:
    shop.send(FIRST)
    assert shop.send("""
        | event_id | line_no | purchase_id | seller_id | purchased_at     | quantity | line_amount | source |
        | a2       | 0       | 7           | s         | 2026-02-01 00:01 | 2        | 200         | till   |
        | a3       | 0       | 7           | s         | 2026-02-01 00:01 | 3        | 300         | file   |
    """) == (2, 2, 0)
    assert (shop.held(), shop.listed()) == (["a3", "b"], ["a>a2", "a2>a3"])
    reported = "SELECT event_id, revenue_amount, superseded_by_revenue_amount, source, superseded_by_source FROM"
    assert shop.client.query(f"{reported} ops.corrections WHERE event_id = 'a2'").result_rows == [
        ("a2", 200, 300, "till", "file")
    ]
    statuses = "SELECT event_id, status FROM silver.purchases_accounted ORDER BY event_id"
    assert shop.client.query(statuses).result_rows == [
        ("a", "superseded"), ("a2", "superseded"), ("a3", "accepted"), ("b", "accepted")
    ]  # fmt: skip
    # The old version again is a copy: the correction still holds.
    assert shop.send(FIRST) == (0, 0, 2)
    assert shop.held() == ["a3", "b"]


def test_another_seller_or_number_or_a_return_corrects_nothing(shop: Shop) -> None:
    shop.send(FIRST)
    assert shop.send("""
        | event_id | line_no | purchase_id | seller_id | purchased_at     | quantity | line_amount |
        | c        | 0       | 7           | t         | 2026-01-31 23:59 | 1        | 100         |
        | d        | 0       | 70          | s         | 2026-01-31 23:59 | 1        | 100         |
        | e        | 0       | 7           | s         | 2026-02-01 00:01 | -1       | -100        |
    """) == (3, 0, 0)
    assert (shop.held(), shop.listed()) == (["a", "b", "c", "d", "e"], [])


def test_a_batch_that_is_done_again_changes_nothing(shop: Shop) -> None:
    """The process died between the inserts of its months, and before its filters knew of them."""
    shop.send(FIRST)
    batch = shop.arrived("""
        | event_id | line_no | purchase_id | seller_id | purchased_at     | quantity | line_amount |
        | a2       | 0       | 7           | s         | 2026-01-31 23:59 | 2        | 200         |
        | b2       | 0       | 8           | s         | 2026-02-01 00:01 | 2        | 20          |
        | a2       | 0       | 7           | s         | 2026-03-01 00:01 | 2        | 200         |
    """)
    shop.client.insert_arrow("silver.purchase_lines", batch.slice(0, 1))

    for lane in (shop.started(), shop.started(), shop.lane, shop.lane):
        assert shop.take(batch, lane) == (2, 2, 1)
        assert (shop.held(), shop.listed()) == (["a2", "b2"], ["a>a2", "b>b2"])
    assert shop.client.query("SELECT count() FROM silver.purchase_lines FINAL").result_rows == [(4,)]


def test_an_original_that_comes_after_its_copy_takes_its_place(shop: Shop) -> None:
    """Read from another partition later, or filled in from the lake: what the copy seemed to correct holds again."""
    shop.send(FIRST)
    original = shop.arrived("""
        | event_id | line_no | purchase_id | seller_id | purchased_at     | quantity | line_amount |
        | c        | 0       | 9           | s         | 2026-01-31 23:59 | 1        | 1000        |
    """)
    shop.send("""
        | event_id | line_no | purchase_id | seller_id | purchased_at     | quantity | line_amount |
        | c        | 0       | 7           | s         | 2026-02-01 00:01 | 1        | 1000        |
    """)
    assert shop.held() == ["b", "c"]

    shop.take(original)
    assert (shop.held(), shop.listed()) == (["a", "b", "c"], [])
    assert shop.client.query("SELECT sum(line_amount) FROM silver.purchase_lines FINAL").result_rows == [(1110,)]


def test_new_events_ask_clickhouse_nothing(shop: Shop) -> None:
    shop.send(FIRST)
    before = len(shop.client.queries)
    shop.send(FIRST.replace("a ", "c ").replace("b ", "d ").replace("7 ", "71").replace("8 ", "81"))

    assert [sql[:33] for sql in shop.client.queries[before:]] == ["INSERT INTO silver.purchase_lines"]


def test_a_look_up_reads_by_the_indexes(shop: Shop) -> None:
    """Of many parts only those that may have the event: else each copy would cost a scan of the whole table."""
    shop.client.command(
        f"INSERT INTO silver.purchase_lines ({', '.join(COLUMNS)}) SELECT * REPLACE (toString(n) AS event_id, "
        "toString(n) AS purchase_id) FROM (SELECT * FROM silver.purchase_lines WHERE 0) AS t "
        "RIGHT JOIN (SELECT number AS n FROM numbers(200000)) AS m ON 0"
        .replace("SELECT * REPLACE", "SELECT * EXCEPT (n) REPLACE")
    )  # fmt: skip
    shop.lane = shop.started()
    shop.send(FIRST)
    for where in ("event_id IN (unhex('61'), unhex('62'))", "purchase_id IN (unhex('37')) AND seller_id IN ('s')"):
        plan = shop.client.query(
            f"EXPLAIN indexes = 1 SELECT count() FROM silver.purchase_lines WHERE {where}"
        ).result_rows
        text = "\n".join(row[0] for row in plan)
        assert "by_event_id" in text or "by_purchase_id" in text, text


def test_any_bytes_are_hashed_as_clickhouse_hashes_them(client: ChdbClient) -> None:
    values = [b"", b"a", "Қаз".encode(), b"\xff\x00\xfe", b"s\x007"]
    literals = ", ".join(f"unhex('{value.hex()}')" for value in values)
    sql_text = f"SELECT reinterpretAsInt64(substring(MD5(arrayJoin([{literals}])), 1, 8))"

    assert [row[0] for row in client.query(sql_text).result_rows] == hashes(values).tolist()
