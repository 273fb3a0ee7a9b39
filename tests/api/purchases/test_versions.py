"""One purchase however it is spelt, and one under a seller's number: what counts once, is refused, replaces."""

from __future__ import annotations

import json
import unicodedata
from hashlib import md5
from typing import Any

import orjson
import pytest

from api.backends.bloom_filter import BloomFilter
from api.http.problems import unavailable
from api.purchases.versions import PurchaseNumber, Version, Versions
from tests.api.asking import GOOD, RUNNER, Client, FakeWarehouse, problem
from tests.api.purchases.test_service import batch, ids

PATH = "/v1/purchases/almaly-market/17"
OTHER = GOOD | {"lines": [{"product_id": "p", "quantity": 3, "unit_price": 2.55}]}
LINE = {
    "event_id": "of a file", "purchase_id": "17", "seller_id": "almaly-market", "customer_id": None,
    "currency_code": "KZT", "purchased_at": "2026-01-31T09:30:00.000000Z", "day": "2026-01-31", "arrival": 1_000,
    "line_no": 0, "product_id": "p", "description": None, "quantity": 2, "unit_price": "2.5500",
}  # fmt: skip
"""GOOD as ClickHouse shows it, under another producer's id."""


def text(**changed: Any) -> str:
    return json.dumps(GOOD | changed)


def line(**changed: Any) -> list[dict[str, Any]]:
    return [{"product_id": "p", "quantity": 2, "unit_price": 2.55} | changed]


def put(api: Client, value: Any, path: str = PATH, **more: Any) -> Any:
    return api.ask("PUT", path, json=value, **more)


SPELLINGS = [
    text(), text().replace("2.55", "2.5500"), text().replace("2.55", '"2.55"'), text().replace("2.55", "255e-2"),
    text().replace("2.55", "0.0255E+2"), text().replace("2.55", '"2.5500"'), text().replace(": 2,", ": 2.0,"),
    text().replace(": 2,", ": 0.2e1,"), text(purchased_at="2026-01-31T14:30:00+05:00"),
    text(purchased_at="2026-01-31T09:30:00.000Z"), text(purchased_at="2026-01-31T09:30:00.0000000Z"),
    text(purchased_at="2026-01-31T09:30:00.000000999Z"), json.dumps(dict(reversed(GOOD.items()))), text(source="retry"),
    text(customer_id=None), text(lines=line(description="")), text(lines=line(description=None)),
    text(purchase_id=" 17\u00a0"), text(seller_id="almaly-market "),
]  # fmt: skip


@pytest.mark.parametrize("body", SPELLINGS)
def test_a_purchase_is_what_it_says(api: Client, body: str) -> None:
    first = ids(api.send(GOOD))

    answer = api.ask("POST", "/v1/purchases", content=body, headers={"Content-Type": "application/json"})

    assert ids(answer) == first
    assert len(api.producer.sent) == 1


def test_what_is_other_content_is_another_event(api: Client) -> None:
    others = [
        GOOD, GOOD | {"purchase_id": "170"}, GOOD | {"customer_id": "c"}, GOOD | {"currency_code": "USD"},
        GOOD | {"purchased_at": "2026-01-31T09:30:00.000001Z"}, OTHER, GOOD | {"lines": line(product_id="q")},
        GOOD | {"lines": line(description="d")}, GOOD | {"lines": line() * 2},
        GOOD | {"lines": line() + line(product_id="q")}, GOOD | {"lines": line(product_id="q") + line()},
    ]  # fmt: skip

    actual = [ids(put(api, each, f"/v1/purchases/almaly-market/{each['purchase_id']}"))[0] for each in others]

    assert len(set(actual)) == len(others)


def test_texts_are_one_in_unicode_s_normal_form(api: Client) -> None:
    name = "Café-й-1"
    first = ids(api.send(GOOD | {"purchase_id": unicodedata.normalize("NFD", name)}))

    assert ids(api.send(GOOD | {"purchase_id": unicodedata.normalize("NFC", name)})) == first
    assert orjson.loads(api.producer.sent[0][1].value)["purchase_id"] == unicodedata.normalize("NFC", name)


def test_a_number_names_one_purchase(api: Client) -> None:
    (first,) = ids(api.send(GOOD))

    answered = problem(api.send(OTHER), 409)

    assert answered["type"] == "urn:sauda:problem:taken"
    assert answered["detail"] == (
        f"the purchase '17' of seller 'almaly-market' is there with other content (event {first}); a number names one "
        "purchase, and a correction is sent by PUT to /v1/purchases/{seller_id}/{purchase_id}."
    )
    assert answered["errors"][0]["pointer"] == "/purchase_id"
    # A return is a document of its own.
    back = GOOD | {"lines": line(quantity=-1)}
    ids(api.ask("POST", "/v1/returns", json=back))
    problem(api.ask("POST", "/v1/returns", json=back | {"lines": line(quantity=-2)}), 409)
    assert len(api.producer.sent) == 2


def test_a_batch_is_taken_whole_or_not(api: Client) -> None:
    ids(api.send(GOOD))

    answered = problem(batch(api, [GOOD | {"purchase_id": "18"}, OTHER, GOOD]), 409)
    # Of the two that are unlike, the second is named; GOOD itself is there already.
    assert [e["pointer"] for e in answered["errors"]] == ["/purchases/2/purchase_id"]
    answered = problem(batch(api, [GOOD | {"purchase_id": "18"}, OTHER]), 409)
    assert [(e["pointer"], e["rule"]) for e in answered["errors"]] == [
        ("/purchases/1/purchase_id", "purchase_id.taken")
    ]
    assert len(api.producer.sent) == 1

    duplicate_field = GOOD | {"purchase_id": "19"}
    first, second, _ = ids(batch(api, [duplicate_field, duplicate_field, GOOD]))
    assert first == second
    assert len(api.producer.sent) == 2


def test_a_replacement(api: Client) -> None:
    (first,) = ids(api.send(GOOD))
    answer = put(api, OTHER)
    (second,) = ids(answer)

    assert second != first
    assert answer.headers["location"].startswith(f"/v1/purchases/{second}?")
    assert put(api, OTHER).status_code == 200, "it holds already"
    assert put(api, OTHER).json()["events"][0]["event_id"] == second
    # A retry of the first request, late: it was accepted then, and is not put above its correction.
    assert ids(api.send(GOOD)) == [first]
    assert len(api.producer.sent) == 2
    # Back to the first content: another event than the first, or nobody would count it.
    (third,) = ids(put(api, GOOD))
    (fourth,) = ids(put(api, OTHER))
    assert len({first, second, third, fourth}) == 4
    problem(api.send(GOOD | {"customer_id": "c"}), 409)


def test_a_replacement_of_nothing_is_a_purchase(api: Client) -> None:
    (event_id,) = ids(put(api, GOOD))

    assert ids(api.send(GOOD)) == [event_id], "the same as if it had been posted"


def test_the_path_names_the_purchase_of_the_body(api: Client) -> None:
    assert ids(put(api, GOOD | {"purchase_id": "A/1 b"}, "/v1/purchases/almaly-market/A%2F1%20b"))
    for path, pointer in ((PATH + "8", "/purchase_id"), ("/v1/purchases/other/17", "/seller_id")):
        assert problem(put(api, GOOD, path), 422)["errors"][0]["pointer"] == pointer
    problem(put(api, GOOD, key="reader"), 403)
    problem(put(api, GOOD, "/v1/returns/almaly-market/17"), 422)
    assert len(api.producer.sent) == 1


def test_what_came_another_way_is_known_from_clickhouse(api: Client) -> None:
    api.warehouse.answers["versions"] = [LINE]

    assert ids(api.send(GOOD)) == ["of a file"], "the same purchase, loaded from a file"
    problem(api.send(OTHER), 409)
    assert api.producer.sent == []
    (second,) = ids(put(api, OTHER))
    # ClickHouse does not show it yet, and then it does.
    assert put(api, OTHER).json()["events"][0]["event_id"] == second
    api.warehouse.answers["versions"] = [LINE, LINE | {"event_id": second, "arrival": 900, "quantity": 3}]
    assert put(api, OTHER).status_code == 200
    # A file replaces it once more.
    api.warehouse.answers["versions"].append(LINE | {"event_id": "of a later file", "arrival": 800, "quantity": 4})
    assert put(api, OTHER).status_code == 202


def test_while_clickhouse_is_away_purchases_are_taken_and_nothing_is_replaced(api: Client) -> None:
    api.warehouse.is_away = True

    ids(api.send(GOOD))
    problem(api.send(OTHER), 409)
    problem(put(api, OTHER), 503)
    assert len(api.producer.sent) == 1


def test_what_kafka_did_not_take_takes_no_number(api: Client) -> None:
    api.producer.trouble = unavailable("Kafka")
    problem(api.send(GOOD), 503)
    api.producer.trouble = None

    ids(api.send(OTHER))


def test_the_filter_says_of_nearly_all_that_they_are_new() -> None:
    known = BloomFilter(10_000)
    known.add_hashes(b"".join(md5(f"s/{n}".encode(), usedforsecurity=False).digest() for n in range(5_000)))
    for number in range(5_000, 10_000):
        known.add(f"s/{number}")

    assert all(f"s/{number}" in known for number in range(10_000))
    assert sum(f"t/{number}" in known for number in range(10_000)) < 100


def test_clickhouse_is_asked_only_for_what_it_may_have() -> None:
    warehouse = FakeWarehouse()
    warehouse.answers = {"silver.purchase_lines": [{"numbers": 1}], "versions": [LINE]}
    warehouse.pieces = [md5(b"almaly-market/17", usedforsecurity=False).digest()]
    versions = Versions(warehouse)
    RUNNER.run(versions._build())
    warehouse.queries.clear()
    new, known = PurchaseNumber("almaly-market", "new", False), PurchaseNumber("almaly-market", "17", False)

    assert RUNNER.run(versions.holding([new])) == {}
    assert warehouse.queries == []
    assert RUNNER.run(versions.holding([new, known]))[known].event_id == "of a file"
    ((_, given),) = warehouse.queries
    assert given == {"numbers": ["17"], "sellers": ["almaly-market"]}
    versions.accepted(new, Version("id", b"", "2026-01-31"))
    assert RUNNER.run(versions.holding([new]))[new].event_id == "id"
