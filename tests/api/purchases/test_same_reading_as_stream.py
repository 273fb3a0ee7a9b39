"""What the API accepts the stream accepts, and reads as the same; two spellings have one id just where they read alike.

Spellings of every field are drawn at random, with a seed; the stream judges what would be sent in two Spark jobs.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from api.http import bodies
from api.http.problems import Problem
from api.purchases.service import Purchases, ValidPurchase
from schemas.contract import contract
from schemas.purchases.silver import PurchaseLines
from streaming.core.registry import domains
from tests.api.asking import RUNNER, Client
from tests.support.verdicts import Verdict, verdicts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TEXTS = [
    "a", " a", "a ", "\\u00a0a", "\\u2003a\\u3000", "\\ta\\n", "a\\u0300", "\\u00e0", "и\\u0306", "й", "a\\u200b",
    "\\ufeffa", "\\u001ca", "\\u0085a", "\\u180ea", "\\u0000", "\\ud800",
    "\\ud83d\\ude00", "😀" * 32, "x" * 64, "x" * 65,
    "\\u0958" * 40, "\\u1e9b\\u0323", "", " ", "\\u200b", "\\u001c",
    "a\\u0000b", "a\\\\u0000b", "a\\\"b", "\\u0007", "{}",
    "null", "007", "1.0", "NaN", "ﬁ", "Ａ",
]  # fmt: skip
PRICES = [
    "950", "950.0", "950.00", "950.00000", '"950"', '"950.0000"', '"00950"', '"+5"', '"  950 "', "9.5e2", "9.5E+2",
    "95000e-2", '"9.5e2"', "0.0001", "1e-4", "0.00010", "1e-5", "0.00001", "1e3", "1E+2", "-0.0", "0", "-0", "1e400",
    "1e-400", "1e99999999999999999999", "12345678901234.5678", "1000000000", "1e9", "1.0E9", "1000000000.0001", "1e10",
    "123456789.1234", "0.30000000000000004", "1.00000000000000000000000000001", '"1,5"', '"1e400"', '""', "true",
    "999999999.9999", "4.35", "1.1", '"0.0001"', "99999.9999", "7.0",
]  # fmt: skip
COUNTS = [
    "1", "1.0", "1.00000", "1e0", "10e-1", "0.1e1", "1.5", '"1"', '"1.0"', "9999999", "9999999.0", "10000000", "-1",
    "0", "-0", "0.0", "1e400", "1e6", "1E+1", "100000000000000000000", "true", "1.0000000000000000000000000000000001",
    "2", "3", "2.0",
]  # fmt: skip
INSTANTS = [
    "2026-01-31T09:30:00Z", "2026-01-31T14:30:00+05:00", "2026-01-31T09:30:00.000Z", "2026-01-31T09:30:00.0000000Z",
    "2026-01-31T09:30:00.000000999Z", "2026-01-31T09:30:00.123456789Z", "2026-01-31T09:30:00.123456Z",
    "2026-01-31T09:30:00.1234567891Z", "2026-01-31T09:30:00.5-00:00", "2026-01-31T09:30:00", "2026-01-31T09:30Z",
    "2026-01-31T09:30:60Z", "2026-01-31T24:00:00Z", "2026-01-31 09:30:00Z", "2026-01-31T09:30:00+0500",
    "2026-01-31T09:30:00+05", "2026-01-31T09:30:00+05:60", "2026-01-31T09:30:00+18:00", "2026-01-31T09:30:00-18:00",
    "2026-01-31T09:30:00+18:01", "2000-01-01T00:00:00Z", "2000-01-01T04:59:59+05:00", "2000-01-01T00:00:00-18:00",
    "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z",
    " 2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z ", "2026-01-31t09:30:00z", "2026-01-31T09:30:00.Z",
    "20260131T093000Z",
    "2026-W05-6T09:30:00Z", "+2026-01-31T09:30:00Z", "2026-01-31T09:30:00,5Z", "2026-01-31T09:30:00 UTC", "1769851800",
]  # fmt: skip


def spelt(chance: Random) -> bytes:
    """A purchase of which each field is spelt usually in one way and sometimes in any."""

    def one(usual: str, others: list[str]) -> str:
        return chance.choice(others) if chance.random() < 0.25 else usual

    def text(usual: str) -> str:
        return '"' + one(usual, TEXTS) + '"'

    lines = []
    for _ in range(chance.choice((1, 1, 2))):
        fields = [
            f'"product_id":{text("p")}', f'"quantity":{one("1", COUNTS)}', f'"unit_price":{one("950", PRICES)}',
        ]  # fmt: skip
        if chance.random() < 0.3:
            fields.append(f'"description":{chance.choice(("null", text("d")))}')
        chance.shuffle(fields)
        lines.append("{" + ",".join(fields) + "}")
    fields = [
        f'"purchase_id":{text("17")}', f'"purchased_at":"{one(INSTANTS[0], INSTANTS)}"', f'"seller_id":{text("s")}',
        '"currency_code":"KZT"', f'"lines":[{",".join(lines)}]',
    ]  # fmt: skip
    if chance.random() < 0.3:
        fields.append(f'"customer_id":{chance.choice(("null", text("c")))}')
    if chance.random() < 0.3:
        fields.append(f'"source":{text("till")}')
    chance.shuffle(fields)
    return ("{" + ",".join(fields) + "}").encode()


def validated(api: Client, body: bytes) -> ValidPurchase | None:
    """What would be sent; None where it is refused."""
    try:
        actual = api.backends.service(Purchases).validate("k", "", ((body, bodies.parse(body)),))
        return RUNNER.run(actual).documents[0]
    except Problem:
        return None


def reading(verdict: Verdict) -> tuple[Any, ...]:
    """What silver has of an event, but for where it came from."""
    left_out = {"source", "event_id", "event_hash", "kafka_offset", "arrival"}
    return tuple(tuple(v for n, v in line.items() if n not in left_out) for line in verdict.lines)


def test_what_is_accepted_is_accepted_and_known_by_what_is_read(api: Client, spark: SparkSession) -> None:
    (branch,) = (b for d in domains() for b in d.branches if b.silver == contract(PurchaseLines))
    chance = Random(12)
    documents = [d for _ in range(6_000) if (d := validated(api, spelt(chance))) is not None]
    distinct = list({d.body: d for d in documents}.values())
    assert 300 < len(distinct) < len(documents)

    actual = verdicts(spark, branch, [d.body for d in distinct])

    refused = [(d.body, v.sentence) for d, v in zip(distinct, actual, strict=True) if v.rule]
    assert refused == []
    by_id: dict[str, set[Any]] = {}
    by_reading: dict[Any, set[str]] = {}
    for document, verdict in zip(distinct, actual, strict=True):
        by_id.setdefault(document.event_id, set()).add(reading(verdict))
        by_reading.setdefault(reading(verdict), set()).add(document.event_id)
    assert {event_id: readings for event_id, readings in by_id.items() if len(readings) > 1} == {}
    assert {r: ids for r, ids in by_reading.items() if len(ids) > 1} == {}


@pytest.mark.parametrize("field", ["description", "purchase_id", "quantity", "unit_price", "purchased_at"])
def test_every_spelling_is_tried(api: Client, field: str) -> None:
    """That some of each field's are accepted and some refused: else the test above would hold of nothing."""
    usual = b'{"purchase_id":"17","purchased_at":"2026-01-31T09:30:00Z","seller_id":"s","currency_code":"KZT",'
    usual += b'"lines":[{"product_id":"p","description":"d","quantity":1,"unit_price":950}]}'
    of_field = {"description": ('"d"', [f'"{t}"' for t in TEXTS]), "purchase_id": ('"17"', [f'"{t}"' for t in TEXTS]),
                "quantity": ("1", COUNTS), "unit_price": ("950", PRICES),
                "purchased_at": (f'"{INSTANTS[0]}"', [f'"{t}"' for t in INSTANTS])}  # fmt: skip
    value, others = of_field[field]
    accepted = [
        validated(api, usual.replace(f'"{field}":{value}'.encode(), f'"{field}":{other}'.encode())) for other in others
    ]  # fmt: skip

    assert 5 < sum(d is not None for d in accepted) < len(others)
