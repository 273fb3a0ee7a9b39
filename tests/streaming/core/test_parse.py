"""Raw records become parsed events: what is taken, with which values, and what is refused, with which sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from pyspark.sql import functions as F

from schemas.common.currencies import CURRENCIES
from schemas.contract import contract
from schemas.derive.quarantine import read_event
from schemas.purchases.events import PurchaseEvent
from schemas.purchases.silver import PurchaseLines
from standins.world.faults import OVERSIZED, POISONS, Poison
from streaming.core import parse
from streaming.core.domain import Branch
from streaming.core.registry import domains
from tests.support.verdicts import ARRIVED, Headers, Verdict, kafka, verdicts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SALE = {"product_id": "p", "description": "d", "quantity": 2, "unit_price": "2.55"}
GIFT = {"product_id": "p", "quantity": -1, "unit_price": 0}
RETURN = {"product_id": "p2", "quantity": -1, "unit_price": 3}
GOOD: dict[str, Any] = {
    "purchase_id": "17", "purchased_at": "2026-01-31T09:30:00Z", "seller_id": "s", "customer_id": "c",
    "currency_code": "KZT", "lines": [SALE, RETURN],
}  # fmt: skip
WHOLE = json.dumps(GOOD)
MONEY = "must be an amount of at most 14 digits before and 4 after the point"
INSTANT = "must be a time with its zone, like 2026-01-31T09:30:00Z"
TRAILING = 'there is more behind the event; the value ends with "'
WORTH = "lines must have a sum of quantity times unit_price of at most 1,000,000,000,000"
DEAR = "line 2: unit_price must be above zero where quantity is above zero; found "


def purchase(**changed: Any) -> bytes:
    return json.dumps(GOOD | changed).encode()


def second(**changed: Any) -> bytes:
    """The sale, changed, stands behind a good line, so that a sentence must count to two."""
    return purchase(lines=[RETURN, SALE | changed])


def bare(price: str) -> bytes:
    """A number as it stands in the text; Python's writer would round it or write it otherwise."""
    return second(unit_price="@").replace(b'"@"', price.encode())


# value, then a column with its value in the line that was called `second` (or the first and only line)
ACCEPTED: list[tuple[str, bytes, dict[str, Any]]] = [
    ("a whole event", purchase(), {"quantity": -1, "unit_price_amount": Decimal("3.0000"), "description": None}),
    ("no customer", purchase(customer_id=None), {"customer_id": None}),
    ("an unknown field", purchase(quantity=3, unknown={"a": [1]}), {"quantity": -1, "seller_id": "s"}),
    ("white space around", b" \n\t" + purchase() + b"\r\n ", {"purchase_id": "17"}),
    ("a number where text is expected", purchase(seller_id=7), {"seller_id": "7"}),
    # To tell these from text costs half a microsecond an event; nothing is lost by keeping them as they were written.
    ("an object where text is expected", second(product_id={"a": 1}), {"product_id": '{"a":1}'}),
    ("a list where text is expected", purchase(seller_id=["s"]), {"seller_id": '["s"]'}),
    ("a number with leading zeros in quotes", purchase(seller_id="007"), {"seller_id": "007"}),
    ("a field written twice counts as the last", WHOLE.replace('"17"', '"16", "purchase_id": "17"').encode(),
     {"purchase_id": "17"}),
    ("text in every script", second(description="Ақжол 茶 😀 \"q\" \\ \n"), {"description": 'Ақжол 茶 😀 "q" \\ \n'}),
    ("braces in a text", second(description="{a}{b} [c] }{", product_id="[7]"),
     {"description": "{a}{b} [c] }{", "product_id": "[7]"}),
    ("a price as a number", second(unit_price=2.5), {"unit_price_amount": Decimal("2.5000"), "line_units": 50_000}),
    ("no round number in binary", bare("1.10"), {"unit_price_amount": Decimal("1.1"), "line_units": 22_000}),
    ("zeros at the end of a number", bare("2.50000"), {"unit_price_amount": Decimal("2.5"), "line_units": 50_000}),
    ("a number with an exponent that hides no digit", bare("1E2"), {"unit_price_amount": Decimal(100)}),
    ("four digits after the point", second(unit_price="0.0001"), {"line_amount": Decimal("0.0002"), "line_units": 2}),
    ("the largest sale", purchase(lines=[GIFT, SALE | {"quantity": 1_000, "unit_price": "1000000000"}]),
     {"line_amount": Decimal(10**12), "line_units": 10**16}),
    ("the largest return", purchase(lines=[GIFT, SALE | {"quantity": -9_999_999, "unit_price": "100000.01"}]),
     {"line_amount": Decimal("-999999999999.9900"), "line_units": -9_999_999_999_999_900, "is_return": True}),
    ("a small number, which Spark writes with an exponent", bare("0.0001"), {"unit_price_amount": Decimal("0.0001")}),
    ("a large number, which Spark writes with an exponent", bare("123456789.1234"),
     {"unit_price_amount": Decimal("123456789.1234")}),
    ("a price with an exponent that hides no digit", second(unit_price="9.5E+2"), {"unit_price_amount": Decimal(950)}),
    ("a whole number with a point", second().replace(b'"quantity": 2', b'"quantity": 2.00'), {"quantity": 2}),
    ("a whole number with a point, and a text that looks like one",
     second(description='{"quantity": 7.0}').replace(b'"quantity": 2', b'"quantity" : 2.0 '),
     {"quantity": 2, "description": '{"quantity": 7.0}'}),
    ("nine digits of a second", purchase(purchased_at="2026-01-31T09:30:00.123456999Z"),
     {"purchased_at": datetime(2026, 1, 31, 9, 30, 0, 123456, tzinfo=UTC)}),
    ("a return below its price", second(quantity=-2, unit_price="-0.5"), {"line_amount": Decimal("1.0000")}),
    ("a return for nothing", second(quantity=-2, unit_price="0"), {"line_amount": Decimal(0), "is_return": True}),
    ("another zone", purchase(purchased_at="2026-02-01T04:59:59.123456+05:00"),
     {"purchased_at": datetime(2026, 1, 31, 23, 59, 59, 123456, tzinfo=UTC)}),
    ("a time without a zone is UTC", purchase(purchased_at="2026-01-31T09:30:00"),
     {"purchased_at": datetime(2026, 1, 31, 9, 30, tzinfo=UTC)}),
    ("seconds since 1970", purchase(purchased_at=1769851800),
     {"purchased_at": datetime(2026, 1, 31, 9, 30, tzinfo=UTC)}),
    ("the first instant", purchase(purchased_at="2000-01-01T00:00:00Z"),
     {"purchased_at": datetime(2000, 1, 1, tzinfo=UTC)}),
    ("a day ahead to the second", purchase(purchased_at="2026-02-02T12:00:00Z"),
     {"purchased_at": ARRIVED + timedelta(days=1)}),
    ("the longest ids", second(product_id="é" * 64), {"product_id": "é" * 64}),
]  # fmt: skip

# value, rule, sentence
REFUSED: list[tuple[str, bytes | None, str, str]] = [
    ("tombstone", None, "record.tombstone", "the record has no value; a purchase event as JSON was expected"),
    ("empty", b"", "record.json", 'the value is not a JSON object: ""'),
    ("not JSON", b"not json", "record.json", 'the value is not a JSON object: "not json"'),
    ("a list", b"[1,2]", "record.json", 'the value is not a JSON object: "[1,2]"'),
    ("a number", b"5", "record.json", 'the value is not a JSON object: "5"'),
    ("null", b"null", "record.json", 'the value is not a JSON object: "null"'),
    ("an event in a list", b"[" + purchase() + b"]", "record.json",
     f'the value is not a JSON object: "[{WHOLE[:79]}…"'),
    ("not UTF-8", b"\xff\xfe", "record.utf8", "the bytes are not UTF-8; the first of them are FFFE"),
    ("one byte that is not UTF-8", purchase().replace(b'"c"', b'"caf\xe9"'), "record.utf8",
     "the bytes are not UTF-8; the first of them are 7B2270757263686173655F6964223A20"),
    ("too large", b"x" * 1_000_001, "record.oversized", "the event has 1000001 bytes; at most 1000000 are taken"),
    ("cut off in a number", purchase()[:-4], "record.json",
     f'the value is not a JSON object: "{WHOLE[:80]}…"'),
    ("cut off before its last brace", purchase()[:-1], "record.json",
     f'the value is not a JSON object: "{WHOLE[:80]}…"'),
    ("cut off after an inner brace", purchase()[:-2], "record.json",
     f'the value is not a JSON object: "{WHOLE[:80]}…"'),
    ("text behind it", purchase() + b" trailing", "record.trailing",
     TRAILING + 'antity": -1, "unit_price": 3}]} trailing"'),
    ("two events in one record", purchase() + purchase(purchase_id="18"), "record.trailing",
     TRAILING + '"p2", "quantity": -1, "unit_price": 3}]}"'),
    ("two events, a line each", purchase() + b"\n" + purchase(purchase_id="18"), "record.trailing",
     TRAILING + '"p2", "quantity": -1, "unit_price": 3}]}"'),
    ("two events with a comma", purchase() + b"," + purchase(purchase_id="18"), "record.trailing",
     TRAILING + '"p2", "quantity": -1, "unit_price": 3}]}"'),
    ("brackets behind it", purchase() + b"]}", "record.trailing",
     TRAILING + '2", "quantity": -1, "unit_price": 3}]}]}"'),
    ("nothing in it", b"{}", "purchase_id.required", "purchase_id is missing"),
    ("empty id", purchase(purchase_id=""), "purchase_id.not_empty", 'purchase_id must not be empty; found ""'),
    ("blank id", purchase(purchase_id="\u00a0 "), "purchase_id.not_empty",
     'purchase_id must not be empty; found "\u00a0 "'),
    ("long id", purchase(purchase_id="x" * 129), "purchase_id.max_length",
     'purchase_id must have at most 128 characters; found "' + "x" * 80 + '…"'),
    ("no seller", purchase(seller_id=None), "seller_id.required", "seller_id is missing"),
    ("empty customer", purchase(customer_id=""), "customer_id.not_empty", 'customer_id must not be empty; found ""'),
    ("unknown currency", purchase(currency_code="kzt"), "currency_code.one_of",
     'currency_code must be a currency code of ISO 4217 that Sauda knows; found "kzt"'),
    ("before 2000", purchase(purchased_at="1999-12-31T23:59:59Z"), "purchased_at.since",
     'purchased_at must not be before 2000-01-01; found "1999-12-31T23:59:59Z"'),
    ("too far ahead", purchase(purchased_at="2026-02-02T12:00:01Z"), "purchased_at.not_ahead_of",
     'purchased_at must not be more than 24 hours ahead of ingested_at; found "2026-02-02T12:00:01Z"'),
    ("milliseconds since 1970", purchase(purchased_at=1769851800000), "purchased_at.not_ahead_of",
     'purchased_at must not be more than 24 hours ahead of ingested_at; found "1769851800000"'),
    ("time in words", purchase(purchased_at="yesterday"), "purchased_at.type",
     f'purchased_at {INSTANT}; found "yesterday"'),
    ("a day that there is not", purchase(purchased_at="2026-02-30T00:00:00Z"), "purchased_at.type",
     f'purchased_at {INSTANT}; found "2026-02-30T00:00:00Z"'),
    ("no lines", purchase(lines=[]), "lines.min_items", "lines must have at least one element"),
    ("lines null", purchase(lines=None), "lines.required", "lines is missing or is not a list"),
    ("lines in words", purchase(lines="abc"), "lines.required", "lines is missing or is not a list"),
    ("too many lines", purchase(lines=[{"product_id": "p", "quantity": 1, "unit_price": 1}] * 10_001),
     "lines.max_items", "lines must have at most 10,000 elements"),
    ("numbers for lines", purchase(lines=[1, 2]), "lines.json", "line 1: it is not a JSON object"),
    ("null for a line", purchase(lines=[SALE, None]), "lines.json", "line 2: it is not a JSON object"),
    ("no product", second(product_id=None), "lines.product_id.required", "line 2: product_id is missing"),
    ("blank product", second(product_id=" "), "lines.product_id.not_empty",
     'line 2: product_id must not be empty; found " "'),
    ("quantity in words", second(quantity="abc"), "lines.quantity.type",
     'line 2: quantity must be a whole number; found "abc"'),
    ("quantity in quotes", second(quantity="6"), "lines.quantity.type",
     'line 2: quantity must be a whole number; found "6"'),
    ("half a piece", second(quantity=1.5), "lines.quantity.type",
     'line 2: quantity must be a whole number; found "1.5"'),
    ("quantity NaN", second(quantity=float("nan")), "lines.quantity.type",
     'line 2: quantity must be a whole number; found "NaN"'),
    ("quantity of 20 digits", second(quantity=10**20 - 1), "lines.quantity.type",
     'line 2: quantity must be a whole number; found "99999999999999999999"'),
    ("quantity above the largest", second(quantity=10_000_000), "lines.quantity.at_most",
     'line 2: quantity must be at most 9,999,999; found "10000000"'),
    ("quantity below the least", second(quantity=-10_000_000), "lines.quantity.at_least",
     'line 2: quantity must be at least -9,999,999; found "-10000000"'),
    ("zero pieces", second(quantity=0), "lines.quantity.not_zero", 'line 2: quantity must not be zero; found "0"'),
    ("price zero", second(unit_price="0"), "lines.price_of_a_sale", DEAR + '"quantity 2, unit_price 0"'),
    ("price below zero", second(unit_price=-1), "lines.price_of_a_sale", DEAR + '"quantity 2, unit_price -1"'),
    ("price of five digits", second(unit_price="2.55555"), "lines.unit_price.type",
     f'line 2: unit_price {MONEY}; found "2.55555"'),
    ("number of five digits", bare("2.00001"), "lines.unit_price.type", f'line 2: unit_price {MONEY}; found "2.00001"'),
    ("price with an exponent", second(unit_price="1e-7"), "lines.unit_price.type",
     f'line 2: unit_price {MONEY}; found "1e-7"'),
    ("number with an exponent", bare("1e-7"), "lines.unit_price.type",
     f'line 2: unit_price {MONEY}; found "1.0E-7"'),
    ("price NaN", second(unit_price=float("nan")), "lines.unit_price.type", f'line 2: unit_price {MONEY}; found "NaN"'),
    ("price infinite", second(unit_price=float("inf")), "lines.unit_price.type",
     f'line 2: unit_price {MONEY}; found "Infinity"'),
    ("price with a comma", second(unit_price="2,55"), "lines.unit_price.type",
     f'line 2: unit_price {MONEY}; found "2,55"'),
    ("price above the largest", second(unit_price="1000000000.01"), "lines.unit_price.at_most",
     'line 2: unit_price must be at most 1,000,000,000; found "1000000000.01"'),
    ("more than a purchase may be worth", purchase(lines=[SALE | {"quantity": 9_999_999, "unit_price": 9_999_999}]),
     "lines.worth_at_most", WORTH),
    ("more than its lines may be worth together", purchase(lines=[SALE | {"quantity": 600, "unit_price": 10**9}] * 2),
     "lines.worth_at_most", WORTH),
    ("more than may go back", purchase(lines=[SALE | {"quantity": s * 600, "unit_price": 10**9} for s in (1, -1)]),
     "lines.worth_at_most", WORTH),
    ("a whole number with a point beside another fault",
     second(unit_price=0).replace(b'"quantity": 2', b'"quantity": 2.0'), "lines.price_of_a_sale",
     DEAR + '"quantity 2, unit_price 0"'),
    ("many digits behind the point", second().replace(b'"quantity": 2', b'"quantity": 2.0000001'),
     "lines.quantity.type", 'line 2: quantity must be a whole number; found "2.0000001"'),
    ("price of 15 digits", second(unit_price="100000000000000"), "lines.unit_price.type",
     f'line 2: unit_price {MONEY}; found "100000000000000"'),
    ("an object for the price", second(unit_price={"a": 1}), "lines.unit_price.type",
     f'line 2: unit_price {MONEY}; found "{{"a":1}}"'),
    ("the first of two faults is told", purchase(seller_id="", lines=[]), "seller_id.not_empty",
     'seller_id must not be empty; found ""'),
    ("the first bad line is told", purchase(lines=[SALE | {"quantity": 0}, SALE | {"product_id": ""}]),
     "lines.quantity.not_zero", 'line 1: quantity must not be zero; found "0"'),
]  # fmt: skip

ALL_POISONS = (*POISONS, OVERSIZED)
NOW = ARRIVED
HEADERS: list[tuple[Headers | None, str]] = [
    ([("ce_id", b"first"), ("ce_type", b"purchase")], "first"),
    ([("ce_type", b"purchase"), ("ce_id", b"later")], "later"),
    ([("ce_id", b"one"), ("ce_id", b"two")], "one"),
    ([("ce_id", b"")], "purchases:1:3"),
    ([("ce_id", None)], "purchases:1:4"),
    ([("ce_type", b"purchase")], "purchases:1:5"),
    ([], "purchases:1:6"),
    (None, "purchases:1:7"),
]


@pytest.fixture(scope="module")
def branch() -> Branch:
    (actual,) = (b for d in domains() for b in d.branches if b.silver == contract(PurchaseLines))
    return actual


def mutations(seed: int, count: int) -> list[bytes]:
    """Events with one or two random changes: bytes swapped, dropped, repeated, and fields replaced by anything."""
    random = Random(seed)
    anything: list[Any] = [None, "", " ", 0, -1, 1.5, 10**30, "x" * 600, [], {}, [None], [[]], True, "2.55", "1e5"]
    results: list[bytes] = []
    for _ in range(count):
        event = json.loads(WHOLE)
        if random.random() < 0.6:
            holder: dict[str, Any] = random.choice([event, *event["lines"]])
            name = random.choice([*holder, "customer_id", "unknown"])
            holder[name] = random.choice(anything)
        value = bytearray(json.dumps(event).encode())
        if random.random() < 0.6:
            at = random.randrange(len(value))
            match random.randrange(4):
                case 0:
                    value[at] = random.randrange(256)
                case 1:
                    del value[at : at + random.randrange(1, 9)]
                case 2:
                    value[at:at] = value[at : at + random.randrange(1, 9)]
                case _:
                    del value[at:]
        results.append(bytes(value))
    return results


MUTATED = mutations(seed=20_260_201, count=600)


@pytest.fixture(scope="module")
def judged(spark: SparkSession, branch: Branch) -> dict[str, list[Verdict]]:
    """All values of this module in one go: compiling the questions takes longer than asking them."""
    good = orjson.loads(WHOLE)
    groups: dict[str, list[bytes | None]] = {
        "headers": [purchase() for _ in HEADERS],
        "accepted": [value for _, value, _ in ACCEPTED],
        "refused": [value for _, value, _, _ in REFUSED],
        "poisons": [poison.make(good, NOW) for poison in ALL_POISONS],
        "mutated": list(MUTATED),
    }
    everything = verdicts(spark, branch, [v for g in groups.values() for v in g], [h for h, _ in HEADERS])
    result: dict[str, list[Verdict]] = {}
    for name, values in groups.items():
        result[name], everything = everything[: len(values)], everything[len(values) :]
    return result


Judged = dict[str, list[Verdict]]


@pytest.mark.parametrize("case", range(len(ACCEPTED)), ids=[name for name, *_ in ACCEPTED])
def test_what_keeps_every_rule_is_taken_with_its_exact_values(judged: Judged, case: int) -> None:
    _, _, expected = ACCEPTED[case]
    verdict = judged["accepted"][case]

    assert verdict.rule == "", verdict.sentence
    assert [line["line_no"] for line in verdict.lines] == [0, 1]
    assert {name: verdict.lines[1][name] for name in expected} == expected


def test_a_whole_event_gives_a_row_a_line_with_all_its_fields(judged: Judged) -> None:
    first, _ = judged["accepted"][0].lines

    envelope = ("event_id", "event_hash", "ingested_at", "kafka_topic", "kafka_partition", "kafka_offset", "arrival")
    assert {name: value for name, value in first.items() if name not in envelope} == {
        "line_no": 0, "purchase_id": "17", "purchased_at": datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
        "sold_on": datetime(2026, 1, 31, tzinfo=UTC).date(), "seller_id": "s", "customer_id": "c",
        "currency_code": "KZT", "product_id": "p", "description": "d", "quantity": 2,
        "unit_price_amount": Decimal("2.5500"), "line_amount": Decimal("5.1000"), "line_units": 51_000,
        "is_return": False, "source": None,
    }  # fmt: skip
    assert first["ingested_at"] == ARRIVED


@pytest.mark.parametrize("case", range(len(REFUSED)), ids=[name for name, *_ in REFUSED])
def test_what_breaks_a_rule_is_refused_with_its_sentence(judged: Judged, case: int) -> None:
    _, value, rule, sentence = REFUSED[case]
    verdict = judged["refused"][case]

    assert (verdict.rule, verdict.sentence) == (rule, sentence)
    actual = verdict.refusals[0]["value"]
    assert (bytes(actual) if actual is not None else None) == value, "the value must stay as it came"


@pytest.mark.parametrize("case", range(len(ALL_POISONS)), ids=[poison.name for poison in ALL_POISONS])
def test_every_poison_that_the_simulator_sends_breaks_the_rule_it_names(judged: Judged, case: int) -> None:
    poison: Poison = ALL_POISONS[case]

    assert judged["poisons"][case].rule == poison.rule, judged["poisons"][case].sentence


def test_any_value_is_taken_or_refused_and_never_both(judged: Judged) -> None:
    rules = [verdict.rule for verdict in judged["mutated"]]

    # Both happened often, and no value fell through to the rule for what cannot be explained.
    assert rules.count("") > 50
    assert len(set(rules)) > 15
    assert "record.unreadable" not in rules


def test_what_is_taken_is_what_python_reads(judged: Judged) -> None:
    """Two readers of one text: nothing is rounded, cut or made up on the way."""
    checked = 0
    for value, verdict in zip(MUTATED, judged["mutated"], strict=True):
        if verdict.rule:
            continue
        event = json.loads(value, parse_float=Decimal)
        assert len(verdict.lines) == len(event["lines"]), value
        for line, sent in zip(verdict.lines, event["lines"], strict=True):
            price = Decimal(sent["unit_price"])
            assert line["quantity"] == sent["quantity"], value
            assert line["unit_price_amount"] == price, value
            assert line["line_amount"] == sent["quantity"] * price, value
            assert line["line_units"] == line["line_amount"] * 10_000, value
            assert line["currency_code"] in CURRENCIES, value
        checked += 1
    assert checked > 50


def test_the_event_id_is_the_header_or_else_the_place(judged: Judged) -> None:
    assert [v.lines[0]["event_id"] for v in judged["headers"]] == [expected for _, expected in HEADERS]


def test_a_refused_record_keeps_its_place_and_its_own_source(spark: SparkSession, branch: Branch) -> None:
    header: Headers = [("ce_id", b"e"), ("ce_source", b"file:a.csv")]
    values: list[bytes | None] = [
        purchase(lines=[], source="file:a.csv:17-24"), purchase(lines=[]), None, b"{not json", purchase(lines=[]),
    ]  # fmt: skip

    result = verdicts(spark, branch, values, [header] * 4)

    assert [v.refusals[0]["source"] for v in result] == ["file:a.csv:17-24", *["file:a.csv"] * 3, None]
    assert [(v.refusals[0]["event_id"], v.refusals[0]["kafka_offset"]) for v in result] == [
        ("e", 0), ("e", 1), ("e", 2), ("e", 3), ("purchases:1:4", 4),
    ]  # fmt: skip


def test_arrival_is_greater_for_the_earlier_record(spark: SparkSession) -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1_000, tzinfo=UTC)
    rows = [(late, 5), (early, 1_048_575), (early, 7), (early, 6), (datetime(2200, 1, 1, tzinfo=UTC), 10**15),
            (datetime(9999, 12, 31, tzinfo=UTC), 0), (datetime(1969, 1, 1, tzinfo=UTC), 0)]  # fmt: skip
    frame = spark.createDataFrame(rows, "ingested_at timestamp, kafka_offset bigint")

    arrivals = [row[0] for row in frame.select(F.expr(parse.ARRIVAL)).collect()]

    assert sorted(range(7), key=lambda n: -arrivals[n]) == [6, 3, 2, 1, 0, 4, 5]
    assert all(0 <= arrival < 2**63 for arrival in arrivals)


def test_the_events_that_are_taken_are_parsed_once(spark: SparkSession, branch: Branch) -> None:
    """A filter on a parsed field would be pushed below the parse, which is then done twice."""
    cleaned = branch.clean(branch.exploded(parse.records(kafka(spark, [purchase()]))))
    taken = cleaned.where("line IS NOT NULL").select(*(c for c in branch.silver.columns if c != "batch_id"))

    plan: Callable[[], Any] = taken._jdf.queryExecution().optimizedPlan  # type: ignore[operator]

    # The second is for what cannot be read the first time.
    assert str(plan()).count("from_json") == read_event(contract(PurchaseEvent)).count("from_json") == 2
