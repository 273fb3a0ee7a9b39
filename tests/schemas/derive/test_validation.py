"""Events judged in Python: as the stream judges them, with its rules and sentences, and stricter where that is said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from api.http.bodies import parse
from api.http.problems import Problem
from schemas.contract import col, contract, contracts, find, record
from schemas.contract.rules import max_length
from schemas.contract.types import COUNT, DAY, FLAG, INSTANT, MONEY, NUMBER, TEXT
from schemas.derive.fakes import fake_event
from schemas.derive.validation import MOST_FINDINGS, Literal, Reader, typed
from schemas.purchases.events import PurchaseEvent
from schemas.purchases.silver import PurchaseLines
from streaming.core.registry import domains
from tests.streaming.core.test_parse import ACCEPTED, REFUSED, mutations
from tests.support.verdicts import ARRIVED, verdicts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

READER = Reader(contract(PurchaseEvent))
# What the stream takes, since it was sent already, and a client is told to write otherwise.
STRICTER = {
    "an unknown field": "unknown",
    "a number where text is expected": "seller_id.type",
    "an object where text is expected": "lines.product_id.type",
    "a list where text is expected": "seller_id.type",
    "a price with an exponent that hides no digit": "lines.unit_price.type",
    "a time without a zone is UTC": "purchased_at.type",
    "seconds since 1970": "purchased_at.type",
}
NO_JSON = {"a field written twice counts as the last"}
# The rule is the same, and Spark writes the number otherwise; or a stricter rule comes first.
OTHERWISE = {
    "number with an exponent", "a whole number with a point beside another fault", "milliseconds since 1970",
    "an event in a list",
}  # fmt: skip


def parsed(value: bytes | None) -> Any:
    try:
        return parse(value or b"")
    except Problem:
        return None


CASES = [pytest.param(*case, id=case[0]) for case in REFUSED if parsed(case[1]) is not None]


def test_most_cases_are_json() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize(("name", "value", "rule", "sentence"), CASES)
def test_the_first_finding_is_the_stream_s(name: str, value: bytes, rule: str, sentence: str) -> None:
    _, findings = READER.read(parsed(value), ARRIVED)

    if name in OTHERWISE:
        assert findings[0].rule in (rule, "purchased_at.type")
    else:
        assert (findings[0].rule, findings[0].sentence) == (rule, sentence)


@pytest.mark.parametrize(("name", "value", "_"), [pytest.param(*case, id=case[0]) for case in ACCEPTED])
def test_what_the_stream_accepts_is_accepted_or_refused_for_a_reason(name: str, value: bytes, _: Any) -> None:
    if name in NO_JSON:
        with pytest.raises(Problem, match="twice"):
            parse(value)
        return
    _row, findings = READER.read(parse(value), ARRIVED)

    assert [finding.rule for finding in findings][:1] == ([STRICTER[name]] if name in STRICTER else [])


def test_what_is_accepted_here_the_stream_accepts_too(spark: SparkSession) -> None:
    """Else a client would be told that its purchase was taken, and find it in quarantine."""
    (branch,) = (b for d in domains() for b in d.branches if b.silver == contract(PurchaseLines))
    values = mutations(seed=41, count=600)
    accepted = [v for v in values if (given := parsed(v)) is not None and not READER.read(given, ARRIVED)[1]]

    assert len(accepted) > 50
    refused = [(v, verdict.sentence) for v, verdict in zip(accepted, verdicts(spark, branch, accepted), strict=True)
               if verdict.rule]  # fmt: skip
    assert refused == []


def test_every_finding_is_told_with_its_place() -> None:
    given = parse(
        b'{"purchase_id":"1","purchased_at":"2026-01-31T09:30:00Z","seller_id":"s","currency_code":"KZT","a/b~":1,'
        b'"lines":[{"product_id":"p","quantity":0,"unit_price":1},{"quantity":1,"unit_price":"x"}]}'
    )

    _, findings = READER.read(given, ARRIVED)

    assert [(f.pointer, f.rule) for f in findings] == [
        ("/a~1b~0", "unknown"),
        ("/lines/0/quantity", "lines.quantity.not_zero"),
        ("/lines/1/product_id", "lines.product_id.required"),
        ("/lines/1/unit_price", "lines.unit_price.type"),
    ]


def test_a_row_comes_in_its_types() -> None:
    given = parse(
        b'{"purchase_id":"1","purchased_at":"2026-01-31T09:30:00+05:00","seller_id":"s","currency_code":"KZT",'
        b'"lines":[{"product_id":"p","quantity":2,"unit_price":12345678.0001}]}'.replace(b"12345678", b"1234567")
    )

    row, findings = READER.read(given, ARRIVED)

    assert findings == []
    assert row["purchased_at"] == datetime(2026, 1, 31, 4, 30, tzinfo=UTC)
    assert row["customer_id"] is None
    assert row["lines"][0]["unit_price"] == Decimal("1234567.0001")


def test_findings_end_somewhere() -> None:
    lines = [{"product_id": "", "quantity": 0, "unit_price": 0}] * 5_000
    _, findings = READER.read(fake_event(contract(PurchaseEvent)) | {"lines": lines}, ARRIVED)

    assert MOST_FINDINGS <= len(findings) < MOST_FINDINGS + 4


def test_a_part_of_a_row_misses_nothing_and_nulls_are_told() -> None:
    reader = Reader(find("shop.products"), ["name", "category_name", "price_amount"])

    row, findings = reader.read({"category_name": None}, ARRIVED, partial=True)
    assert (row, findings) == ({"category_name": None}, [])
    _, findings = reader.read({"name": None, "updated_at": "2026-01-31T09:30:00Z"}, ARRIVED, partial=True)
    assert [finding.rule for finding in findings] == ["unknown", "name.required"]


@pytest.mark.parametrize(("type_", "value", "expected"), [
    (COUNT, 1 << 63, None), (COUNT, -(1 << 63), -(1 << 63)), (COUNT, True, None), (COUNT, Literal("1.0"), 1),
    (COUNT, Literal("1.5"), None), (COUNT, Literal("0.3e1"), 3), (COUNT, Literal("1e400"), None), (COUNT, "1", None),
    (COUNT, Literal("1e19"), None), (COUNT, Literal("1.00000000000000000000000000000001"), None),
    (MONEY, Literal("9.5e2"), Decimal(950)), (MONEY, Literal("950.00000"), Decimal(950)),
    (MONEY, Literal("1e14"), None),
    (MONEY, Literal("1e-5"), None), (MONEY, Literal("1e99999999999999999999"), None), (MONEY, "+5", None),
    (MONEY, Literal("-0.0"), Decimal(0)), (MONEY, Literal("1.00000000000000000000000000000001"), None),
    (MONEY, 10**14, None), (MONEY, -(10**14) + 1, Decimal(-(10**14) + 1)), (MONEY, "1\n", None), (MONEY, "١", None),
    (MONEY, Literal("0.0001"), Decimal("0.0001")), (MONEY, True, None), (MONEY, 10**400, None),
    (NUMBER, Literal("1e999"), None), (NUMBER, 10**400, None), (NUMBER, Literal("0.5"), 0.5), (NUMBER, "0.5", None),
    (FLAG, 1, None), (FLAG, False, False), (TEXT, Literal("1.5"), None), (TEXT, "", ""),
    (TEXT, " a\u00a0", "a"), (TEXT, "\u0438\u0306", "\u0439"),
    (DAY, "2026-02-29", None), (DAY, "20260228", None), (DAY, "2026-02-28", date(2026, 2, 28)),
    (INSTANT, "2026-01-31T09:30:00+18:01", None), (INSTANT, "2026-01-31T24:00:00Z", None),
    (INSTANT, "2026-W05-6T09:30:00Z", None),
    (INSTANT, "2026-01-31T09:30:00.123456789Z", datetime(2026, 1, 31, 9, 30, 0, 123456, tzinfo=UTC)),
    (INSTANT, "0001-01-01T00:00:00+05:00", None), (INSTANT, "9999-12-31T23:59:59-05:00", None),
    (INSTANT, "2026-01-31T09:30:60Z", None), (INSTANT, "2026-01-31T09:30:00+05:60", None),
    (INSTANT, "2026-01-31T09:30:00", None),
])  # fmt: skip
def test_values_are_read_in_their_types(type_: Any, value: Any, expected: Any) -> None:
    assert typed(type_, value) == expected


def test_every_event_has_a_reader_that_takes_its_fakes() -> None:
    for event in (c for c in contracts() if c.kind == "event"):
        for seed in range(20):
            result = fake_event(event, seed)
            assert Reader(event).read(parse(orjson.dumps(result)), datetime(2027, 1, 2, tzinfo=UTC))[1] == [], result


def test_a_long_value_is_told_in_short() -> None:
    @record()
    class Note:
        """A note."""

        text = col(TEXT, "Its text.", max_length(5))

    _, (finding,) = Reader(contract(Note)).read({"text": "x" * 500}, ARRIVED)

    assert finding.sentence == f'text must have at most 5 characters; found "{"x" * 80}…"'
