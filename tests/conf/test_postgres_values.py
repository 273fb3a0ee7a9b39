"""What PostgreSQL holds and Python cannot read comes as such, and not as an exception."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from psycopg.adapt import AdaptersMap
from psycopg.pq import Format

from conf.postgres_values import Unreadable, fault, tolerate


def connected(encoding: str = "UTF8") -> Any:
    reported = {"server_encoding": encoding, "TimeZone": "UTC"}
    info = SimpleNamespace(parameter_status=reported.get, encoding="utf-8")
    connection = SimpleNamespace(adapters=AdaptersMap(psycopg.adapters), info=info)
    tolerate(cast("Any", connection))
    return connection


def loaded(connection: Any, kind: str, data: bytes) -> Any:
    oid = connection.adapters.types[kind].oid
    loader = connection.adapters.get_loader(oid, Format.TEXT)
    return loader(oid, None).load(data)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("timestamptz", "infinity"), ("timestamptz", "-infinity"), ("timestamptz", "0044-03-15 00:00:00+00 BC"),
        ("timestamptz", "10000-01-01 00:00:00+00"), ("timestamptz", "294276-12-31 23:59:59+00"),
        ("timestamp", "infinity"), ("timestamp", "10000-01-01 00:00:00"), ("date", "-infinity"), ("date", "infinity"),
        ("date", "0044-03-15 BC"), ("date", "10000-01-01"), ("numeric", "NaN"), ("numeric", "Infinity"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_read_is_handed_over_as_it_is_written(kind: str, text: str) -> None:
    actual = loaded(connected(), kind, text.encode())

    assert actual == Unreadable(text)
    assert fault(actual) == f"cannot be read: {text}"


def test_all_others_are_read_as_before() -> None:
    connection = connected()
    tolerate(connection)

    assert loaded(connection, "timestamptz", b"2026-01-31 09:30:00+00") == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    assert loaded(connection, "numeric", b"12345678901234.5000") == Decimal("12345678901234.5000")
    assert loaded(connection, "date", b"0001-01-01").year == 1


def test_bytes_that_are_no_text_are_told_without_showing_them() -> None:
    connection = connected("SQL_ASCII")

    assert loaded(connection, "text", "Айгуль".encode()) == "Айгуль"
    assert loaded(connection, "text", b"\xff\xfe") == Unreadable("")
    assert fault(Unreadable("")) == "is no UTF-8"


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        (datetime(1900, 1, 1, tzinfo=UTC), True), (datetime(2299, 12, 31, 23, tzinfo=UTC), True),
        (datetime(1899, 12, 31, 23, 59, tzinfo=UTC), False), (datetime(2300, 1, 1, tzinfo=UTC), False),
        (datetime(202, 1, 1, tzinfo=UTC), False), ("text", True), (None, True), (Decimal(1), True),
    ],
)  # fmt: skip
def test_times_that_clickhouse_would_show_as_others_do_not_go_on(value: Any, is_good: bool) -> None:
    assert (fault(value) == "") == is_good


def test_before_and_after() -> None:
    assert [Unreadable(text).is_before for text in ("-infinity", "0044-03-15 00:00:00+00 BC")] == [True, True]
    assert [Unreadable(text).is_before for text in ("infinity", "10000-01-01 00:00:00+00")] == [False, False]
