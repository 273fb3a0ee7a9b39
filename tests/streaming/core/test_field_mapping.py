"""Registers' rows become typed rows: loose types, local times, persons hidden; and why a row is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from streaming.core import parse
from streaming.core.domain import Branch
from streaming.core.field_mapping import unknown
from streaming.core.registry import domains
from tests.support.verdicts import Headers, Verdict, kafka, verdicts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

COMPANY, PERSON = "001040004321", "900101300017"
FETCHED = "2026-02-01T11:00:00Z"
LOT = {
    "id": 19, "lot_number": "415500-ОЛ1", "trd_buy_id": "7", "customer_bin": COMPANY, "count": 2.5, "amount": "1500.25",
    "name_ru": "Бумага", "point_list": [11, "12"], "dumping": 0, "index_date": "2026-01-31 15:30:00", "unheard_of": 1,
}  # fmt: skip
BID = {
    "id": 5, "buy_id": 7, "supplier_bin_iin": PERSON, "date_apply": "2026-01-31 01:00:00.123456",
    "app_lots": [
        {"id": 50, "lot_id": 19, "price": 700, "amount": 1400.5, "status_id": 360, "point_list": ["11"]},
        {"id": "51", "lot_id": "20", "price": "1E+3", "amount": None},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def branches() -> dict[str, Branch]:
    (actual,) = (d for d in domains() if d.name == "procurement")
    return {b.silver.table.removeprefix("procurement_"): b for b in actual.branches}


@pytest.fixture(scope="module", autouse=True)
def _zone(spark: SparkSession) -> None:
    from conf.spark import TIME_ZONE

    spark.conf.set(TIME_ZONE + "procurement", "Asia/Almaty")


def headers(**more: str) -> Headers:
    given = {"ce_type": "kz.goszakup.lots", "ce_time": FETCHED, "collection": "goszakup"} | more
    return [("ce_id", b"x"), *((name, value.encode()) for name, value in given.items())]


def judged(spark: SparkSession, branch: Branch, *rows: Any, **more: str) -> list[Verdict]:
    values = [row if isinstance(row, bytes) or row is None else json.dumps(row).encode() for row in rows]
    return verdicts(spark, branch, values, [headers(**more)] * len(values))


def test_a_row_is_typed_whatever_its_register_writes(spark: SparkSession, branches: dict[str, Branch]) -> None:
    (verdict,) = judged(spark, branches["lots"], LOT)
    (row,) = verdict.lines

    expected = {
        "collection_code": "goszakup", "lot_id": "19", "number": "415500-ОЛ1", "tender_id": "7",
        "buyer_tax_id": COMPANY, "quantity": 2.5, "total_amount": Decimal("1500.2500"), "currency_code": "KZT",
        "name": "Бумага", "planning_item_ids": '[11,"12"]', "is_dumping": False, "is_construction": None, "line_no": 0,
        # Almaty has been five hours ahead of UTC since March 2024.
        "changed_at": datetime(2026, 1, 31, 10, 30, tzinfo=UTC), "fetched_at": datetime(2026, 2, 1, 11, tzinfo=UTC),
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["times_text"]) == {"changed_at": "2026-01-31 15:30:00"}


def test_each_element_of_a_list_is_a_row(spark: SparkSession, branches: dict[str, Branch]) -> None:
    (verdict,) = judged(spark, branches["bids"], BID, ce_type="kz.goszakup.trd_app")

    entries = [(r["bid_id"], r["lot_id"], r["line_no"], r["unit_amount"], r["total_amount"]) for r in verdict.lines]
    assert entries == [
        ("50", "19", 0, Decimal("700.0000"), Decimal("1400.5000")),
        ("51", "20", 1, Decimal("1000.0000"), None),
    ]
    assert {r["application_id"] for r in verdict.lines} == {"5"}
    # An hour past midnight in Almaty is still the day before in UTC.
    assert {r["submitted_at"] for r in verdict.lines} == {datetime(2026, 1, 30, 20, 0, 0, 123456, tzinfo=UTC)}
    assert {r["submitted_on"] for r in verdict.lines} == {date(2026, 1, 31)}


def test_a_persons_code_is_hashed_and_a_companys_is_not(spark: SparkSession, branches: dict[str, Branch]) -> None:
    import hashlib

    person, company = judged(
        spark, branches["parties"],
        {"pid": 1, "iin": PERSON, "bin": None, "name_ru": "Имя", "supplier": "1"},
        {"pid": "2", "bin": COMPANY, "iin": None, "name_ru": "ТОО", "supplier": 0},
    )  # fmt: skip
    (one,), (two,) = person.lines, company.lines

    assert one["party_tax_id"] == "p" + hashlib.sha256(f"salt{PERSON}".encode()).hexdigest()[:20]
    assert (one["name"], one["party_name"], one["party_raw_id"]) == (None, "Имя", PERSON)
    assert (two["party_tax_id"], two["name"]) == (COMPANY, "ТОО"), "no zero at the front is lost"
    assert (one["is_supplier"], two["is_supplier"]) == (True, False)


def test_a_person_of_another_country_comes_under_an_alias_and_has_no_name_to_serve(
    spark: SparkSession, branches: dict[str, Branch]
) -> None:
    alias = "p78758c64088a5ebbacd1"
    person = {"party_id": alias, "party_biin": alias, "party_number": "52345678", "name": "Ana"}
    (verdict,) = judged(spark, branches["parties"], person, ce_type="ocds.party")
    (row,) = verdict.lines
    assert (row["party_id"], row["party_tax_id"], row["name"]) == (alias, alias, None)
    assert (row["party_raw_id"], row["party_name"]) == ("52345678", "Ana")


def test_nothing_personal_is_served(branches: dict[str, Branch]) -> None:
    personal = {"party_raw_id", "party_name", "email", "phone", "address", "fio", "iin", "supplier_raw_id"}
    for branch in branches.values():
        assert not personal & {str(c) for c in branch.silver.serving_columns}


def test_an_open_end_is_none(spark: SparkSession, branches: dict[str, Branch]) -> None:
    entry = {"id": "1-4909", "system_id": 3, "pid": "8"}
    open_ends = [
        *("1999-01-01 00:00:00", "0000-00-00 00:00:00", "0000-00-00", "1999-01-01", "0000-00-00T00:00:00.000000"),
        *("", None),
    ]
    for verdict in judged(spark, branches["debarments"], *(entry | {"end_date": text} for text in open_ends)):
        (row,) = verdict.lines
        assert row["ended_at"] is None
        assert (row["system_code"], row["debarment_id"], row["supplier_id"]) == ("3", "1-4909", "8")


def test_an_open_end_is_looked_past_and_kept_as_it_stood(spark: SparkSession, branches: dict[str, Branch]) -> None:
    """A row whose first date is a sentinel was refused for want of the time of its change."""
    closed = {"index_date": "0000-00-00 00:00:00", "last_update_date": "2026-01-31 15:30:00"}
    (verdict,) = judged(spark, branches["lots"], LOT | closed)
    (row,) = verdict.lines

    assert row["changed_at"] == datetime(2026, 1, 31, 10, 30, tzinfo=UTC)
    assert json.loads(row["times_text"]) == {"changed_at": "0000-00-00 00:00:00"}
    (verdict,) = judged(spark, branches["lots"], LOT | {"index_date": "1999-01-01T00:00:00"})
    assert verdict.lines[0]["changed_at"] == datetime(2026, 2, 1, 11, tzinfo=UTC), "when it was fetched"


def test_a_zone_that_is_written_holds(spark: SparkSession, branches: dict[str, Branch]) -> None:
    (verdict,) = judged(spark, branches["tenders"], {"id": 1, "publish_date": "2026-01-31T09:00:00+06:00"})

    assert verdict.lines[0]["published_at"] == datetime(2026, 1, 31, 3, tzinfo=UTC)


def test_what_a_row_lacks_is_taken_from_its_headers(spark: SparkSession, branches: dict[str, Branch]) -> None:
    (pause,) = judged(spark, branches["tender_pauses"], {"id": 3}, parent="7")
    (entry,) = judged(
        spark, branches["reference_items"], {"code": "796", "name_ru": "Штука"}, ce_type="kz.goszakup.ref_units"
    )

    assert pause.lines[0]["tender_id"] == "7"
    assert (entry.lines[0]["dictionary_code"], entry.lines[0]["item_id"]) == ("ref_units", "796")


REFUSED: list[tuple[Any, str, str]] = [
    (None, "record.tombstone", "the record has no value; a row as JSON was expected"),
    (b"<html>", "record.json", 'the value is not one JSON object: "<html>"'),
    (b"[]", "record.json", 'the value is not one JSON object: "[]"'),
    (b'{"id": 1} {"id": 2}', "record.json", 'the value is not one JSON object: "{"id": 1} {"id": 2}"'),
    (b'{"id": 1, "name_ru": "\xff"}', "record.utf8", "the bytes are not UTF-8"),
    ({"name_ru": "x"}, "lot_id.required", "lot_id is missing; it was looked for in lot_id, id"),
    ({"id": 1, "amount": "many"}, "total_amount.type", "total_amount must be an amount"),
    # What the Dominican Republic publishes; cut to four digits it would be another sum.
    (
        {"id": 1, "amount": 179334.001829},
        "total_amount.type",
        'total_amount must be an amount of at most 14 digits before and 4 after the point; found "179334.001829"',
    ),
    ({"id": 1, "amount": "0.00000000000000000001"}, "total_amount.type", "total_amount must be an amount"),
    ({"id": 1, "count": "2,5"}, "quantity.type", 'quantity must be a number; found "2,5"'),
    ({"id": 1, "index_date": "31.01.2026"}, "changed_at.type", "changed_at must be a time"),
    ({"id": 1, "dumping": "maybe"}, "is_dumping.type", 'is_dumping must be true or false; found "maybe"'),
]


def test_why_a_row_is_refused(spark: SparkSession, branches: dict[str, Branch]) -> None:
    actual = judged(spark, branches["lots"], *(row for row, _, _ in REFUSED))

    for verdict, (_, rule, sentence) in zip(actual, REFUSED, strict=True):
        assert verdict.rule == rule
        assert verdict.sentence.startswith(sentence)


@pytest.mark.parametrize("amount", ["1500.25", "1500.2500000", 1500.25, "1.50025E+3", "-0.0001", "99999999999999.9999"])
def test_an_amount_that_fits_is_kept_whole(spark: SparkSession, branches: dict[str, Branch], amount: Any) -> None:
    (verdict,) = judged(spark, branches["lots"], LOT | {"amount": amount})
    assert verdict.lines[0]["total_amount"] == Decimal(str(amount))


def test_one_bad_element_refuses_the_row(spark: SparkSession, branches: dict[str, Branch]) -> None:
    bad: list[tuple[Any, str]] = [
        ([], "app_lots.min_items"),
        (None, "app_lots.min_items"),
        ([{"id": 1, "lot_id": 2}, {"lot_id": 3}], "bid_id.required"),
        ([{"id": 1, "lot_id": 2, "price": "x"}], "unit_amount.type"),
    ]
    actual = judged(spark, branches["bids"], *(BID | {"app_lots": lots} for lots, _ in bad))

    assert [verdict.rule for verdict in actual] == [rule for _, rule in bad]


def test_what_no_table_takes_is_told_with_its_reason(spark: SparkSession) -> None:
    page = headers(ce_type="kz.goszakup.unreadable", reason="the answer is HTML", url="https://x/v3/lots?a=1")
    raw = parse.records(kafka(spark, [b"<html>", b"{}"], [page, headers(ce_type="kz.goszakup.new")]))

    entries = [(r["rule"], r["sentence"], r["source"]) for r in unknown(raw).orderBy("kafka_offset").collect()]
    assert entries == [
        ("page.unreadable", "the answer is HTML; https://x/v3/lots?a=1", "https://x/v3/lots?a=1"),
        ("record.unknown_type", 'no table takes events of the type "kz.goszakup.new"', None),
    ]
