"""Purchases on their way in: what is taken, under which id, what is refused, and what became of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from api.http.problems import Problem, unavailable
from tests.api.asking import GOOD, Client, client, problem


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 202, answer.text
    return [event["event_id"] for event in answer.json()["events"]]


def batch(api: Client, purchases: list[Any], **headers: str) -> Any:
    return api.ask("POST", "/v1/purchases:batch", json={"purchases": purchases}, headers=headers)


def test_a_purchase_is_sent_as_it_was_read(api: Client) -> None:
    body = orjson.dumps(GOOD | {"source": "till 3"}).replace(b"2.55", b"1234567.00010").replace(b"{", b"{ ", 1)
    answer = api.ask("POST", "/v1/purchases", content=body, headers={"Content-Type": "application/json"})

    (event_id,) = ids(answer)
    ((topic, record),) = api.producer.sent
    assert (topic, record.key) == ("purchases", b"almaly-market/17"), "all versions of a purchase keep their order"
    assert orjson.loads(record.value) == GOOD | {
        "source": "till 3", "lines": [{"product_id": "p", "quantity": 2, "unit_price": "1234567.0001"}]
    }  # fmt: skip
    assert dict(record.headers) == {
        "ce_id": event_id.encode(), "ce_type": b"purchase", "ce_source": b"api:k1", "ce_specversion": b"1.0",
        "content-type": b"application/json", "ce_time": b"2026-01-31T09:30:00Z",
    }  # fmt: skip
    assert record.headers[0][0] == "ce_id"
    where = answer.headers["location"]
    assert re.fullmatch(rf"/v1/purchases/{event_id}[?]sold_on=2026-01-31&proof=[0-9a-f]{{24}}", where)
    assert answer.json() == {"events": [{"event_id": event_id, "purchase_id": "17", "status_url": where}]}


def test_the_day_of_the_status_url_is_that_of_utc(api: Client) -> None:
    answer = api.send(GOOD | {"purchased_at": "2026-02-01T03:00:00+05:00"})

    assert answer.headers["location"].partition("?")[2].startswith("sold_on=2026-01-31&")


def test_ids_follow_from_content_alone(api: Client) -> None:
    again = dict(reversed(GOOD.items()))
    first = ids(api.send(GOOD))

    assert ids(api.send(again)) == first, "the order of fields is no content"
    assert ids(batch(api, [GOOD])) == first, "a batch of one is the purchase"
    assert ids(api.send(GOOD, key="buyer")) == first, "whoever sends it"
    assert ids(api.send(GOOD, headers={"Idempotency-Key": "a"})) == first
    assert ids(api.send(GOOD, headers={"Idempotency-Key": "b"})) == first, "a retry with a new key"
    assert ids(api.send(GOOD | {"purchase_id": "18"})) != first
    assert len(api.producer.sent) == 2, "what is there already is not sent again"


def test_an_idempotency_key_is_for_one_body(api: Client) -> None:
    ids(api.send(GOOD, headers={"Idempotency-Key": "a"}))

    problem(api.send(GOOD | {"purchase_id": "18"}, headers={"Idempotency-Key": "a"}), 422)

    assert len(api.producer.sent) == 1
    # Another client's key of the same name is another one.
    ids(api.send(GOOD | {"purchase_id": "18"}, key="buyer", headers={"Idempotency-Key": "a"}))


@pytest.mark.parametrize("text", ["", "x" * 201, "a\tb"])
def test_an_idempotency_key_is_short_and_visible(api: Client, text: str) -> None:
    answered = problem(api.send(GOOD, headers={"Idempotency-Key": text}), 422)

    assert answered["errors"][0]["parameter"] == "Idempotency-Key"


def test_a_batch_is_sent_in_its_order(api: Client) -> None:
    many = [GOOD | {"purchase_id": str(n)} for n in range(1_000)]

    actual = ids(batch(api, many))

    assert [dict(record.headers)["ce_id"].decode() for _, record in api.producer.sent] == actual
    sent = [orjson.loads(record.value)["purchase_id"] for _, record in api.producer.sent]
    assert sent == [str(n) for n in range(1_000)]
    assert len(set(actual)) == 1_000
    assert "location" not in batch(api, many[:2]).headers


@pytest.mark.parametrize(("body", "pointer", "detail"), [
    ([], "", "the body must be an object with the list purchases"),
    ({}, "", "the body must be an object with the list purchases"),
    ({"purchases": {}}, "", "the body must be an object with the list purchases"),
    ({"purchases": []}, "/purchases", "purchases must have 1 to 1,000 elements; found 0"),
    ({"purchases": [GOOD] * 1_001}, "/purchases", "purchases must have 1 to 1,000 elements; found more"),
    ({"purchases": [GOOD], "more": 1}, "/more", "more is not a field here; there is purchases"),
])  # fmt: skip
def test_what_is_no_batch_is_refused(api: Client, body: Any, pointer: str, detail: str) -> None:
    answered = problem(api.ask("POST", "/v1/purchases:batch", json=body), 422)

    assert (answered["errors"][0]["pointer"], answered["errors"][0]["detail"]) == (pointer, detail)
    assert api.producer.sent == []


def test_one_bad_purchase_refuses_its_batch(api: Client) -> None:
    bad = GOOD | {"lines": [{"product_id": "p", "quantity": 0, "unit_price": 1}]}

    answered = problem(batch(api, [GOOD, bad, 5, GOOD | {"seller_id": None}]), 422)

    assert [(e["pointer"], e["rule"]) for e in answered["errors"]] == [
        ("/purchases/1/lines/0/quantity", "lines.quantity.not_zero"),
        ("/purchases/2", "record.json"),
        ("/purchases/3/seller_id", "seller_id.required"),
    ]
    assert answered["detail"] == 'line 1: quantity must not be zero; found "0" (and 2 more)'
    assert api.producer.sent == []
    assert 'sauda_api_rules_broken_total{rule="seller_id.required"} 1.0' in api.get("/metrics").text


@pytest.mark.parametrize(("change", "rule"), [
    ({"colour": "red"}, "unknown"), ({"purchase_id": 17}, "purchase_id.type"), ({"lines": []}, "lines.min_items"),
    ({"currency_code": "XXX"}, "currency_code.one_of"), ({"purchased_at": "yesterday"}, "purchased_at.type"),
    ({"lines": [{"product_id": "p", "quantity": -10_000_000, "unit_price": 1}]}, "lines.quantity.at_least"),
    ({"lines": [{"product_id": "p", "quantity": 1, "unit_price": "1.00001"}]}, "lines.unit_price.type"),
    ({"purchased_at": (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")},
     "purchased_at.not_ahead_of"),
    ({"seller_id": "nobody"}, "seller_id.known"), ({"seller_id": "'; DROP TABLE sellers --"}, "seller_id.known"),
])  # fmt: skip
def test_what_breaks_a_rule_never_reaches_kafka(api: Client, change: dict[str, Any], rule: str) -> None:
    answered = problem(api.send(GOOD | change), 422)

    assert answered["errors"][0]["rule"] == rule
    assert api.producer.sent == []


def test_an_event_beyond_the_topic_s_size_is_refused(api: Client) -> None:
    line = {"product_id": "p", "description": "x" * 1_000, "quantity": 1, "unit_price": 1}

    problem(api.send(GOOD | {"lines": [line] * 1_000}), 413)
    for each in (line, line | {"description": "ш" * 500}):
        answered = problem(batch(api, [GOOD, GOOD | {"lines": [each] * 1_000}, GOOD]), 422)
        assert [(e["pointer"], e["rule"]) for e in answered["errors"]] == [("/purchases/1", "record.oversized")]
    assert api.producer.sent == []


def test_kafka_away_is_never_a_202(api: Client) -> None:
    api.producer.trouble = unavailable("Kafka")

    answer = api.send(GOOD)

    assert problem(answer, 503)["detail"] == "Kafka does not answer now. Try again in 5 seconds."
    assert answer.headers["retry-after"] == "5"
    problem(api.get("/v1/purchases/anything"), 404)


def test_sellers_are_known_while_postgresql_is_away(api: Client) -> None:
    ids(api.send(GOOD))
    api.sellers.is_away = True

    ids(api.send(GOOD))
    problem(api.send(GOOD | {"seller_id": "perhaps-new"}), 503)


def test_the_states_of_a_purchase(api: Client) -> None:
    (event_id,) = ids(api.send(GOOD))
    path = f"/v1/purchases/{event_id}?sold_on=2026-01-31"
    assert api.get(path).json() == {"event_id": event_id, "state": "accepted"}

    api.warehouse.answers["ops.quarantine"] = [{"rule": "lines.min_items", "sentence": "lines must have …"}]
    assert api.get(path).json() == {
        "event_id": event_id, "state": "refused", "rule": "lines.min_items", "sentence": "lines must have …",
    }  # fmt: skip

    line = {"purchase_id": "17", "seller_id": "s", "line_no": 0, "product_id": "p", "description": None, "quantity": 2,
            "unit_price_amount": "2.5500", "line_amount": "5.1000", "is_return": False}  # fmt: skip
    api.warehouse.answers["silver.purchase_lines"] = [line, line | {"line_no": 1}]
    api.warehouse.queries.clear()
    actual = api.get(path).json()
    assert (actual["state"], actual["purchase"]["purchase_id"]) == ("in_silver", "17")
    assert [line["line_no"] for line in actual["purchase"]["lines"]] == [0, 1]
    (sql, given), (later, number) = api.warehouse.queries
    assert "seller_id = {seller:String}" in later
    assert number == {"seller": "s", "number": "17", "is_return": False}
    assert event_id not in sql
    assert "sold_on = {day:Date32}" in sql
    assert {name: str(value) for name, value in given.items()} == {"id": event_id, "day": "2026-01-31"}

    api.warehouse.answers["later"] = [{"event_id": event_id, "day": "2026-01-31"}]
    assert api.get(path).json()["state"] == "in_silver"
    api.warehouse.answers["later"] = [{"event_id": "another", "day": "2026-02-01"}]
    actual = api.get(path).json()
    assert (actual["state"], actual["superseded_by"]) == (
        "superseded", {"event_id": "another", "status_url": "/v1/purchases/another?sold_on=2026-02-01"},
    )  # fmt: skip


def test_a_purchase_is_still_accepted_after_a_restart(api: Client, tmp_path: Path) -> None:
    """ClickHouse does not show it yet, and this process was not the one that took it."""
    where = api.send(GOOD).headers["location"]
    other = client(tmp_path)
    event_id = where.removeprefix("/v1/purchases/").partition("?")[0]

    assert other.get(where).json() == {"event_id": event_id, "state": "accepted"}
    for forged in (where.partition("&")[0], where[:-1] + ("a" if where[-1] != "a" else "b"), where + "ш",
                   where.replace(event_id, event_id[::-1])):  # fmt: skip
        problem(other.get(forged), 404)


def test_a_purchase_goes_out_and_a_return_comes_back(api: Client) -> None:
    """A slip of sign is no return; who means one says so."""
    back = GOOD | {"lines": [*GOOD["lines"], {"product_id": "q", "quantity": -1, "unit_price": 1}]}
    for answered, at in ((problem(api.send(back), 422), ""), (problem(batch(api, [GOOD, back]), 422), "/purchases/1")):
        assert answered["errors"] == [
            {
                "pointer": f"{at}/lines/1/quantity", "rule": "lines.quantity.above_zero",
                "detail": "line 2: quantity must be above zero; what comes back is sent to POST /v1/returns; "
                'found "-1"',
            }
        ]  # fmt: skip
    answered = problem(api.ask("POST", "/v1/returns", json=back), 422)
    assert [(e["pointer"], e["rule"]) for e in answered["errors"]] == [
        ("/lines/0/quantity", "lines.quantity.below_zero")
    ]
    assert api.producer.sent == []

    ids(api.ask("POST", "/v1/returns", json=GOOD | {"lines": back["lines"][1:]}))
    ((topic, record),) = api.producer.sent
    assert (topic, orjson.loads(record.value)["lines"][0]["quantity"]) == ("purchases", -1)


def test_an_unknown_purchase_is_not_there(api: Client) -> None:
    answered = problem(api.get("/v1/purchases/1%27%20OR%201=1"), 404)

    assert answered["detail"] == 'There is no purchase "1\' OR 1=1" in silver or quarantine.'
    assert all("OR 1=1" not in sql for sql, _ in api.warehouse.queries)


def test_scopes_hold(api: Client) -> None:
    problem(api.send(GOOD, key="reader"), 403)
    problem(api.get("/v1/purchases/1", key="buyer"), 403)
    assert api.send(GOOD, key="buyer").status_code == 202


def test_trouble_of_a_batch_is_the_problem_s(api: Client) -> None:
    api.producer.trouble = Problem(503, "busy", "Too many events wait for Kafka.", headers={"Retry-After": "1"})

    assert problem(batch(api, [GOOD]), 503)["type"] == "urn:sauda:problem:busy"
