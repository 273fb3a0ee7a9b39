from __future__ import annotations

import json
from hashlib import blake2b

import pytest

from ingestion.procurement.goszakup.pages import (
    LONGEST_UNREADABLE,
    DamagedBody,
    Envelope,
    Row,
    RowReader,
    read_object,
    read_page,
    unreadable,
)
from schemas.procurement.endpoints import by_name

LOTS, RNU, SUBJECT = (by_name()[name] for name in ("lots", "rnu", "subject_pid"))
AT = "2026-01-31T09:30:00Z"
# Nothing that would survive being decoded and written anew.
ODD = '{ "id" : 836127,"amount":1.500,  "name_ru":"Бумага \\u0444", "count": 1E2 }'.encode()


def test_rows_are_the_very_bytes_of_the_page() -> None:
    page = read_page(b'{"total": "2","limit":50,"next_page":"","items":[ ' + ODD + b' ,{"id":5}]}')
    rows = list(RowReader(LOTS).rows(page.items))
    assert [row.raw for row in rows if isinstance(row, Row)] == [ODD, b'{"id":5}']
    assert [row.key for row in rows if isinstance(row, Row)] == ["836127", "5"]
    assert page.expected == 2


def test_a_message_says_what_it_is_and_where_it_is_from() -> None:
    (row,) = RowReader(LOTS).rows(read_object(ODD).items)
    assert isinstance(row, Row)
    message = Envelope(LOTS, "/v3/lots", AT, parent="17").message(row)
    hashed = blake2b(ODD, digest_size=8).hexdigest()
    assert message.event_id == f"goszakup:lots:836127:{hashed}"
    assert message.key == b"kz.goszakup.lots:836127"
    assert message.value == ODD
    assert dict(message.headers) == {
        "ce_id": message.event_id.encode(),
        "ce_type": b"kz.goszakup.lots",
        "ce_source": b"goszakup:/v3/lots",
        "ce_specversion": b"1.0",
        "content-type": b"application/json",
        "ce_time": AT.encode(),
        "collection": b"goszakup",
        "parent": b"17",
    }


def test_equal_bytes_are_one_event_and_changed_bytes_another() -> None:
    def event_id(raw: bytes, at: str) -> str:
        (row,) = RowReader(LOTS).rows(read_object(raw).items)
        assert isinstance(row, Row)
        return Envelope(LOTS, "/v3/lots", at).message(row).event_id

    assert event_id(ODD, AT) == event_id(ODD, "2026-02-01T00:00:00Z")
    assert event_id(ODD, AT) != event_id(ODD.replace(b"1.500", b"1.501"), AT)


def test_a_key_of_two_fields_is_written_as_the_journal_writes_it() -> None:
    (row,) = RowReader(RNU).rows(read_object(b'{"id":"4909","system_id":1,"supplier_biin":"050540004455"}').items)
    assert isinstance(row, Row)
    assert row.key == "1-4909"
    assert row.read.supplier_biin == "050540004455"


def test_a_single_subject_names_its_sub_lists_too() -> None:
    (row,) = RowReader(SUBJECT).rows(read_object(b'{"pid":7,"bin":null,"iin":"900101300123"}').items)
    assert isinstance(row, Row)
    assert (row.read.bin, row.read.iin) == (None, "900101300123")


@pytest.mark.parametrize("name", ["lot-colour", 'a"b', "a\\b", "a\nb", "", "поле", "class", "id "])
def test_unknown_fields_are_kept_whatever_their_name(name: str) -> None:
    raw = [json.dumps({"id": number, name: {"a": [1]}}).encode() for number in (1, 2)]
    rows = list(RowReader(LOTS).rows(read_page(b'{"items":[' + b",".join([*raw, b'{"id":null}']) + b"]}").items))
    assert [row.raw for row in rows[:2] if isinstance(row, Row)] == raw
    assert not isinstance(rows[2], Row)


@pytest.mark.parametrize("raw", [b"17", b'"x"', b"null", b"[]", b"{}", b'{"id":null}', b'{"id":true}', b'{"id":[1]}'])
def test_what_is_no_row_is_given_apart_and_the_others_go_on(raw: bytes) -> None:
    rows = list(RowReader(LOTS).rows(read_page(b'{"items":[{"id":1},' + raw + b',{"id":3}]}').items))
    assert [row.key for row in rows if isinstance(row, Row)] == ["1", "3"]
    (bad,) = [row for row in rows if not isinstance(row, Row)]
    assert bad[0] == raw
    assert bad[1].startswith("no row of lots: ")


def test_a_row_where_a_list_was_to_come_is_a_page_of_one() -> None:
    body = b' {"id" : 7, "next_page": 3, "pay_amount":1.50} '
    page = read_page(body, ("id",))
    assert ([bytes(item) for item in page.items], page.next_page, page.expected) == ([body.strip()], None, 0)
    assert read_page(b'{"system_id":1,"id":"4"}', RNU.key).items


@pytest.mark.parametrize(
    "body",
    [
        b'{"name":"Not Found","status":404}', b'{"id":7,"items":{}}', b'[{"id":7}]', b'{"id":7', b'{"system_id":7}',
        b"<html>",
    ],
)  # fmt: skip
def test_what_is_neither_a_list_nor_a_row_stays_damaged(body: bytes) -> None:
    with pytest.raises(DamagedBody):
        read_page(body, ("id",))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"<!DOCTYPE html><h1>502</h1>", "is a web page"),
        (b'{"items":[{"id":1},{"id', "is cut off"),
        (b'{"items":[{"id":1}],}', "is no JSON"),
        (b'{"items":[]} trailing', "is no JSON"),
        (b'{"items":{}}', "has another shape"),
        (b'{"total":3}', "has another shape"),
        (b"[]", "has another shape"),
        (b'{"name":"Not Found","status":404}', "has another shape"),
    ],
)
def test_an_answer_that_is_no_page_says_why(body: bytes, why: str) -> None:
    with pytest.raises(DamagedBody, match=f"the answer {why}"):
        read_page(body)


def test_an_answer_that_is_no_object_says_why() -> None:
    with pytest.raises(DamagedBody, match="another shape"):
        read_object(b"[1]")
    assert bytes(read_object(b' {"id" : 1}\n').items[0]) == b'{"id" : 1}'


def test_a_page_without_a_cursor_is_the_last_one() -> None:
    assert not read_page(b'{"items":[]}').next_page
    assert not read_page(b'{"items":[],"next_page":null}').next_page


def test_what_cannot_be_read_is_sent_with_its_address_and_reason() -> None:
    body = b"<html>" + b"x" * 1_000_000
    message = unreadable(LOTS, "https://x/v3/lots?search_after=5", "/v3/lots", AT, body, "a web page")
    heads = dict(message.headers)
    assert heads["ce_type"] == b"kz.goszakup.unreadable"
    assert (heads["url"], heads["reason"]) == (b"https://x/v3/lots?search_after=5", b"a web page")
    assert message.value == body[:LONGEST_UNREADABLE]
    other = unreadable(LOTS, "https://x/v3/lots?search_after=6", "/v3/lots", AT, body, "a web page")
    assert other.event_id != message.event_id
