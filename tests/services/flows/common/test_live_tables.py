"""Contracts and live tables on the real ClickHouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from conf import settings
from conf.connect import clickhouse
from schemas.contract import Contract, Plain, Replacing, col, contract, contracts, table
from schemas.contract.types import ALL, CODE, COUNT, DAY, HEADERS, ID, INSTANT, TEXT
from schemas.derive import clickhouse as derived
from schemas.derive.live_tables import ContractMismatch, apply_clickhouse, differences_clickhouse

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

pytestmark = pytest.mark.services

NAME = "staging.live_tables_test"
STORAGE = Replacing(
    partition="toYYYYMM(sold_on)", version="arrival", ttl="toDateTime(taken_at) + INTERVAL 400 DAY", dedup_window=100
)


def declared(storage: Plain | Replacing = STORAGE, **more: str) -> Contract:
    """A table with a required and an optional column of every type, in the order of `ALL`."""
    columns = {
        "a_id": col(ID, "It's a key.", key=True),
        "sold_on": col(DAY, "A day.", key=True),
        "taken_at": col(INSTANT, "A time."),
        "arrival": col(COUNT, "A version."),
    }
    for kind in (kind for kind in ALL if kind.spark):
        columns[f"some_{kind.name.lower()}"] = col(kind, f"A {kind.name}.")
        columns[f"maybe_{kind.name.lower()}"] = col(kind, f"A {kind.name} or none.", optional=True)
    result = type("Made", (), {"__doc__": "One row per test.", **columns, **more})
    return contract(table(NAME, clickhouse=storage)(result))


@pytest.fixture
def client() -> Iterator[Client]:
    connection = clickhouse(settings())
    connection.command(derived.create_database("staging"))
    connection.command(f"DROP TABLE IF EXISTS {NAME}")
    yield connection
    connection.command(f"DROP TABLE IF EXISTS {NAME}")
    connection.close()


def test_every_registered_table_equals_its_contract(client: Client) -> None:
    apply_clickhouse(client, contracts())

    assert differences_clickhouse(client, contracts()) == []


def test_every_type_is_spelled_as_the_server_spells_it(client: Client) -> None:
    assert apply_clickhouse(client, [declared()]) == [f"Made the ClickHouse table {NAME}."]
    assert differences_clickhouse(client, [declared()]) == []


def test_a_new_optional_column_reaches_a_table_with_rows(client: Client) -> None:
    apply_clickhouse(client, [declared()])
    client.command(f"INSERT INTO {NAME} (a_id, taken_at) VALUES ('a', now())")
    wider = declared(new_code=col(CODE, "It's new.", optional=True), new_hs=col(HEADERS, "New.", optional=True))

    assert apply_clickhouse(client, [wider]) == [
        f"Added the optional column new_code (LowCardinality(Nullable(String))) to the ClickHouse table {NAME}.",
        f"Added the optional column new_hs (Array(Tuple(key String, value String))) to the ClickHouse table {NAME}.",
    ]
    assert client.query(f"SELECT a_id, new_code, new_hs FROM {NAME}").result_rows == [("a", None, [])]
    assert differences_clickhouse(client, [wider]) == []


def test_comments_and_the_window_follow_the_contract(client: Client) -> None:
    apply_clickhouse(client, [declared()])
    changed = declared(
        Replacing(partition=STORAGE.partition, version="arrival", ttl=STORAGE.ttl, dedup_window=200),
        taken_at=col(INSTANT, "Another sentence."),
    )

    assert apply_clickhouse(client, [changed]) == [f"{NAME} now remembers 200 insert tokens (before: 100)."]
    assert differences_clickhouse(client, [changed]) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (declared(some_text=col(COUNT, "A number.")), "column some_text: the live type is String"),
        (declared(maybe_text=col(TEXT, "A text.")), "column maybe_text: the live nullability is Nullable(String)"),
        (declared(more_count=col(COUNT, "A number.")), "has no column more_count"),
        (declared(Replacing(partition=STORAGE.partition, version="arrival", ttl=STORAGE.ttl, dedup_window=100,
                            order_by=("sold_on", "a_id"))), "the live sorting key is a_id, sold_on"),
        (declared(Replacing(version="arrival", ttl=STORAGE.ttl, dedup_window=100)), "the live partition key is"),
        (declared(Plain(partition=STORAGE.partition, ttl=STORAGE.ttl, dedup_window=100)), "the live engine is"),
        (declared(Replacing(partition=STORAGE.partition, version="arrival", dedup_window=100)), "the live TTL is"),
    ],
)  # fmt: skip
def test_any_other_change_is_refused_and_nothing_is_altered(client: Client, change: Contract, sentence: str) -> None:
    apply_clickhouse(client, [declared()])

    with pytest.raises(ContractMismatch) as caught:
        apply_clickhouse(client, [change])

    assert f"The ClickHouse table {NAME}" in str(caught.value)
    assert sentence in str(caught.value)
    assert differences_clickhouse(client, [declared()]) == []
