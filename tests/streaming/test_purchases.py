"""The cleaning of purchases: a row a line, priced, with returns flagged and days in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from schemas.contract import contract
from schemas.derive.spark import schema_json
from schemas.purchases.silver import PurchaseLines
from streaming.core import parse
from streaming.purchases import purchases
from tests.support.verdicts import kafka

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SILVER = contract(PurchaseLines)
# quantity, unit price as sent, line amount, line amount in ten-thousandths
PRICED: list[tuple[int, Any, str, int]] = [
    (3, "2.55", "7.6500", 76_500),
    (3, 2.55, "7.6500", 76_500),
    (7, 0.1, "0.7000", 7_000),
    (3, "0.3333", "0.9999", 9_999),
    (-3, "0.0001", "-0.0003", -3),
    (-2, "-11062.06", "22124.1200", 221_241_200),
    (-1, 0, "0.0000", 0),
    (80_995, "2.08", "168469.6000", 1_684_696_000),
    (9_999_999, "99999", "999989900001.0000", 9_999_899_000_010_000),
]
# as sent, the instant, the day
TIMES = [
    ("2026-01-31T23:59:59Z", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), date(2026, 1, 31)),
    ("2026-02-01T04:30:00+05:00", datetime(2026, 1, 31, 23, 30, tzinfo=UTC), date(2026, 1, 31)),
    ("2026-01-31T19:30:00-05:00", datetime(2026, 2, 1, 0, 30, tzinfo=UTC), date(2026, 2, 1)),
]


def cleaned(spark: SparkSession, events: list[dict[str, Any]]) -> DataFrame:
    raw = parse.records(kafka(spark, [orjson.dumps(event) for event in events]))
    return purchases(parse.exploded(raw, SILVER.built_from[0].built_from[0], "lines").where("line IS NOT NULL"))


def event(lines: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "purchase_id": "p", "purchased_at": "2026-01-31T09:30:00Z", "seller_id": "s", "currency_code": "KZT",
        "lines": lines, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> list[list[dict[str, Any]]]:
    """The lines of each event: prices, then an event for each time, then one with all fields and one with few."""
    line = {"product_id": "x", "quantity": 1, "unit_price": 1}
    sent = [
        event([{"product_id": f"x{n}", "quantity": q, "unit_price": p} for n, (q, p, _, _) in enumerate(PRICED)]),
        *(event([line], purchased_at=text) for text, _, _ in TIMES),
        event([line | {"description": "Tea"}], customer_id="c", source="till 4"),
        event([line]),
    ]
    result: list[list[dict[str, Any]]] = [[] for _ in sent]
    frame = cleaned(spark, sent).select(*(c for c in SILVER.columns if c != "batch_id"))
    for row in frame.orderBy("kafka_offset", "line_no").collect():
        result[row["kafka_offset"]].append(row.asDict())
    return result


def test_a_line_costs_quantity_times_price_to_the_last_digit(rows: list[list[dict[str, Any]]]) -> None:
    actual = [(row["quantity"], row["line_amount"], row["line_units"]) for row in rows[0]]

    assert actual == [(quantity, Decimal(amount), units) for quantity, _, amount, units in PRICED]


def test_lines_keep_their_order_and_are_counted_from_0(rows: list[list[dict[str, Any]]]) -> None:
    assert [(row["line_no"], row["product_id"]) for row in rows[0]] == [(n, f"x{n}") for n in range(len(PRICED))]


def test_a_negative_quantity_is_a_return_whatever_its_price(rows: list[list[dict[str, Any]]]) -> None:
    assert [row["is_return"] for row in rows[0]] == [quantity < 0 for quantity, *_ in PRICED]


def test_the_day_is_that_of_utc(rows: list[list[dict[str, Any]]]) -> None:
    actual = [(lines[0]["purchased_at"].astimezone(UTC), lines[0]["sold_on"]) for lines in rows[1 : 1 + len(TIMES)]]

    assert actual == [(instant, day) for _, instant, day in TIMES]


def test_what_may_be_left_out_is_null_when_it_is(rows: list[list[dict[str, Any]]]) -> None:
    optional = [c.name for c in SILVER.columns if c.optional]
    full, bare = rows[-2][0], rows[-1][0]

    assert {name: full[name] for name in optional} == {"customer_id": "c", "description": "Tea", "source": "till 4"}
    assert {name: bare[name] for name in optional} == {"customer_id": None, "description": None, "source": None}


def test_the_columns_have_the_contracts_types(spark: SparkSession) -> None:
    """The lake lane selects by name only, so a wider type would be written as it is, or refused in the night."""
    frame = cleaned(spark, [event([{"product_id": "x", "quantity": 1, "unit_price": 1}])])
    wanted = {f["name"]: f["type"] for f in schema_json(SILVER)["fields"] if f["name"] != "batch_id"}

    actual = {f["name"]: f["type"] for f in frame.schema.jsonValue()["fields"]}

    assert {name: actual[name] for name in wanted} == wanted
