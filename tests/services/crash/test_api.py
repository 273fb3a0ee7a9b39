"""The API with its real parts: nothing that was answered for is lost, whatever dies; nothing bad gets through."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from confluent_kafka import Producer

from api.purchases.analytics import QUESTIONS
from api.shop.relay import LOCK
from conf import Settings
from conf.connect import clickhouse, postgres, producer_config
from tests.support.api import SESSION, Api, Topic, away, database, ids, problem, purchase, sellers
from tests.support.stream import Parts, Stream
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def own(chosen: Settings) -> Iterator[Settings]:
    with database(chosen) as result:
        sellers(result, "s1", "s2")
        yield result


@pytest.fixture
def api(own: Settings) -> Iterator[Api]:
    created = Api(own)
    created.start()
    yield created
    created.end()


def again(act: Any) -> httpx.Response:
    """Ask until somebody answers with more than "not now"."""

    def answered() -> httpx.Response | None:
        try:
            actual: httpx.Response = act()
        except httpx.TransportError:
            return None
        return actual if actual.status_code != 503 else None

    actual: httpx.Response = until("an answer", answered, 90, pause=0.1)
    return actual


def test_rows_are_made_read_changed_listed_and_deleted(api: Api) -> None:
    http = api.http
    for number in range(7):
        result = http.post("/v1/products", json={
            "product_id": f"crud-{number}", "seller_id": "s2", "name": "Шай", "price_amount": f"{number}.5",
            "currency_code": "KZT", "category_name": "tea" if number % 2 else None,
        })  # fmt: skip
        assert result.status_code == 201, result.text
    assert result.json()["price_amount"] == "6.5000"
    assert http.get(result.headers["location"]).json() == result.json()

    changed = http.patch("/v1/products/crud-6", json={"price_amount": 99999.0001, "category_name": None}).json()
    assert (changed["price_amount"], changed["name"]) == ("99999.0001", "Шай")
    assert changed["updated_at"] > result.json()["updated_at"]

    results: list[str] = []
    query = "/v1/products?seller_id=s2&sort=-price_amount&limit=3"
    page = http.get(query).json()
    while True:
        results += [item["product_id"] for item in page["items"]]
        if not page["next"]:
            break
        page = http.get(f"{query}&cursor={page['next']}").json()
    assert results == [f"crud-{n}" for n in (6, 5, 4, 3, 2, 1, 0)]
    assert [i["product_id"] for i in http.get("/v1/products?category_name=tea").json()["items"]] == [
        "crud-1", "crud-3", "crud-5",
    ]  # fmt: skip

    problem(http.post("/v1/products", json=changed_body(changed)), 409)
    assert problem(http.post("/v1/products", json=changed_body(changed) | {"product_id": "x", "seller_id": "no"}), 422)[
        "errors"
    ][0] == {"pointer": "/seller_id", "rule": "seller_id.known", "detail": 'seller_id names no seller; found "no"'}
    assert "products" in problem(http.delete("/v1/sellers/s2"), 409)["detail"]
    for number in range(7):
        assert http.delete(f"/v1/products/crud-{number}").status_code == 204
    problem(http.get("/v1/products/crud-0"), 404)


def changed_body(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("created_at", "updated_at")}


def test_a_customer_is_masked_for_those_who_may_not_see_him(api: Api, own: Settings) -> None:
    body = {"customer_id": "c1", "name": "Айгуль", "email": "aigul@example.kz", "phone": "+77011234567"}
    assert api.http.post("/v1/customers", json=body).json()["name"] == "Айгуль"
    reader = _keys(own, "create", "Reader", "--scope", "read", "--rate", "60000").strip()
    headers = {"Authorization": f"Bearer {reader}"}

    masked = api.http.get("/v1/customers/c1", headers=headers)
    assert masked.json()["name"] == "А***"
    assert "aigul" not in masked.text
    problem(api.http.patch("/v1/customers/c1", json={"name": "x"}, headers=headers), 403)

    key_id = reader.partition(".")[0]
    listed = _keys(own, "list")
    assert key_id in listed
    assert reader.partition(".")[2] not in listed
    _keys(own, "revoke", key_id)
    until("the key to be useless", lambda: api.http.get("/v1/customers/c1", headers=headers).status_code == 401, 30)


def test_a_customer_whose_time_nobody_can_read_is_listed_with_the_others(api: Api, own: Settings) -> None:
    with postgres(own, autocommit=True) as connection:
        # As in a database whose rows are older than the check.
        connection.execute("ALTER TABLE shop.customers DROP CONSTRAINT customers_times_readable")
        connection.execute(
            "INSERT INTO shop.customers (customer_id, name, created_at) VALUES ('endless-a', 'E', '-infinity'), "
            "('endless-b', 'E', '0044-03-15 BC'), ('endless-c', 'E', 'infinity'), ('endless-d', 'E', now())"
        )
    actual, query = dict[str, Any](), "/v1/customers?sort=created_at&limit=1"
    page = api.http.get(query).json()
    while True:
        actual |= {item["customer_id"]: item for item in page["items"]}
        if not page["next"]:
            break
        page = api.http.get(f"{query}&cursor={page['next']}").json()

    assert actual["endless-a"]["created_at"] is None
    assert actual["endless-a"]["unreadable"] == {"created_at": "cannot be read: -infinity"}
    assert [name for name in actual if name.startswith("endless")] == [f"endless-{n}" for n in "abdc"]
    for name in "abcd":
        assert api.http.delete(f"/v1/customers/endless-{name}").status_code == 204


def _keys(own: Settings, *words: str) -> str:
    environment = {**Api(own).environment}
    return subprocess.run(
        [sys.executable, "-m", "api.keys", *words], env=environment, text=True, check=True, capture_output=True
    ).stdout


def test_each_change_is_told_once_whatever_dies(own: Settings, stream: Stream, chosen: Settings) -> None:
    """The API is killed while it writes and relays; the stream takes an id once, and shows each change once, in order.

    Kafka may have a change twice: what a relay sent before it died, the next sends again under the same id.
    """
    stream.start()
    topic = Topic(own, "shop-changes")
    api = Api(own)
    api.start()
    chance = random.Random(5)
    stopping = threading.Event()

    def kill_now_and_then() -> None:
        while not stopping.wait(chance.uniform(0.3, 1.2)):
            api.kill()
            api.start()

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    names = [f"once-{n}" for n in range(30)]
    try:
        for name in names:
            body = {"product_id": name, "seller_id": "s1", "name": "0", "price_amount": 1, "currency_code": "KZT"}
            # A 409 says that the one before was made, and only its answer was lost.
            assert again(lambda body=body: api.http.post("/v1/products", json=body)).status_code in (201, 409)
            for number in range(1, 6):
                change = {"name": str(number)}
                path = f"/v1/products/{name}"
                assert again(lambda p=path, c=change: api.http.patch(p, json=c)).status_code == 200
        for name in names[::3]:
            assert again(lambda name=name: api.http.delete(f"/v1/products/{name}")).status_code in (204, 404)
    finally:
        stopping.set()
        killer.join()

    with postgres(own, autocommit=True) as connection:
        until("the outbox to be empty",
              lambda: connection.execute("SELECT count(*) FROM shop.outbox").fetchone() == (0,), 60)  # fmt: skip
    first: dict[str, Any] = {}
    for record in topic.read():
        if record.key().startswith(b"product:once-"):
            first.setdefault(dict(record.headers())["ce_id"].decode(), record)
    reported: dict[str, list[Any]] = {}
    for record in first.values():
        reported.setdefault(record.key().decode().partition(":")[2], []).append(record)
    for place, name in enumerate(names):
        values = [json.loads(record.value()) for record in reported[name]]
        kinds = [dict(record.headers())["ce_type"].decode() for record in reported[name]]
        assert [value["changed_at"] for value in values] == sorted(value["changed_at"] for value in values)
        # A change whose answer was lost was asked for twice; nothing between may be missing.
        steps = [int(value["name"]) for value in values]
        assert sorted(set(steps)) == [0, 1, 2, 3, 4, 5]
        assert steps == sorted(steps)
        assert kinds[-1] == ("shop.product.deleted" if place % 3 == 0 else "shop.product.changed")
        assert kinds.count("shop.product.deleted") == (1 if place % 3 == 0 else 0)
    client = clickhouse(chosen)
    statement = "SELECT event_id FROM silver.shop_changes WHERE event_id IN %(ids)s"
    given = {"ids": list(first)}
    until("silver to have each change", lambda: len(client.query(statement, given).result_rows) >= len(first), 120)
    # Without FINAL: a copy that only a later merge would hide counts here.
    assert sorted(row[0] for row in client.query(statement, given).result_rows) == sorted(first)
    client.close()
    topic.close()
    api.end()


def test_an_idempotency_key_outlives_the_process(own: Settings) -> None:
    topic, api = Topic(own, "purchases"), Api(own)
    api.start()
    headers, body = {"Idempotency-Key": f"order-{SESSION}"}, purchase(1)
    first = ids(api.http.post("/v1/purchases", json=body, headers=headers))

    api.kill()
    api.start()

    assert ids(api.http.post("/v1/purchases", json=body, headers=headers)) == first
    problem(api.http.post("/v1/purchases", json=body | {"seller_id": "s2"}, headers=headers), 422)
    # A copy under the same id, which every lane takes once; none where ClickHouse has shown it meanwhile.
    assert topic.ids().count(first[0]) in (1, 2)
    topic.close()
    api.end()


def test_what_was_accepted_is_in_kafka_though_kafka_was_killed(own: Settings, parts: Parts) -> None:
    topic, api = Topic(own, "purchases"), Api(own, SAUDA_API_KAFKA_SECONDS="3")
    api.start()
    accepted: list[str] = []
    refused: list[tuple[int, str | None]] = []
    stopping = threading.Event()

    def sell(worker: int) -> None:
        with httpx.Client(base_url=api.url, headers=api.http.headers, timeout=30) as http:
            # Numbers of its own: another content under a number that is known would be refused.
            number = (worker + 1) * 1_000_000
            while not stopping.is_set():
                number += 1
                answer = http.post("/v1/purchases", json=purchase(number))
                if answer.status_code == 202:
                    accepted.extend(ids(answer))
                else:
                    refused.append((answer.status_code, answer.headers.get("retry-after")))

    sellers_ = [threading.Thread(target=sell, args=(worker,)) for worker in range(4)]
    for each in sellers_:
        each.start()
    try:
        until("purchases to flow", lambda: len(accepted) > 200, 60)
        parts.kill("kafka")
        before = len(accepted)
        until("purchases to flow again", lambda: len(accepted) > before + 200, 120)
    finally:
        stopping.set()
        for each in sellers_:
            each.join()

    # While Kafka was away somebody was told so, each by when to come back.
    assert refused
    assert {status for status, _ in refused} == {503}
    assert all(after and after.isdigit() for _, after in refused)
    until("Kafka to show every accepted purchase", lambda: set(accepted) <= set(topic.ids()), 60)
    topic.close()
    api.end()


def test_a_stop_answers_what_is_under_way(own: Settings) -> None:
    topic, api = Topic(own, "purchases"), Api(own)
    api.start()
    answers: list[httpx.Response] = []
    body = {"purchases": [purchase(5_000_000 + n) for n in range(1_000)]}
    sending = threading.Thread(target=lambda: answers.append(api.http.post("/v1/purchases:batch", json=body)))
    sending.start()
    until("the batch to be under way", lambda: "in_flight 2.0" in _metrics(api) or answers, 20, pause=0.001)
    api.stop()
    sending.join()

    assert set(ids(answers[0])) <= set(topic.ids())
    topic.close()
    api.end()


def _metrics(api: Api) -> str:
    return httpx.get(f"{api.url}/metrics", timeout=5).text


def test_postgresql_away_stops_only_writes_of_the_catalogue(own: Settings, chosen: Settings) -> None:
    """What waits in the outbox when it goes away is told when it is back; until then the nightly tables are read."""
    topic, api = Topic(own, "shop-changes"), Api(own)
    with postgres(own, autocommit=True) as holding:
        # As another process would that relays: so the change still waits when PostgreSQL goes.
        taking = "SELECT pg_try_advisory_lock(%s)"
        until("the relay's lock", lambda: holding.execute(taking, (LOCK,)).fetchone() == (True,), 60)
        api.start()
        ids(api.http.post("/v1/purchases", json=purchase(6_000_001)))
        assert api.http.patch("/v1/sellers/s2", json={"city_name": "Aktau"}).status_code == 200
        until("the outbox to be seen",
              lambda: (api.http.get("/readyz").json()["outbox"]["rows"] or 0) >= 1, 60)  # fmt: skip
        with away(chosen, own):
            until("PostgreSQL to be missed",
                  lambda: api.http.get("/readyz").json()["parts"]["postgres"] == "away", 30)  # fmt: skip
            away_now = api.http.get("/readyz")
            problem(away_now, 503)
            assert away_now.headers["retry-after"]
            answer = api.http.patch("/v1/sellers/s1", json={"city_name": "Almaty"})
            problem(answer, 503)
            assert answer.headers["retry-after"]
            for question in QUESTIONS:
                assert api.http.get(f"/v1/analytics/{question.name}").status_code == 200, question.name
            ids(api.http.post("/v1/purchases", json=purchase(6_000_002)))
            keyed = {"Idempotency-Key": f"away-{SESSION}"}
            ids(api.http.post("/v1/purchases", json=purchase(6_000_003), headers=keyed))
            assert not any(record.key() == b"seller:s2" for record in topic.read())
    until("the change before it to be told", lambda: any(r.key() == b"seller:s2" for r in topic.read()), 60)
    assert again(lambda: api.http.patch("/v1/sellers/s1", json={"city_name": "Astana"})).status_code == 200
    until("the change after it to be told", lambda: any(r.key() == b"seller:s1" for r in topic.read()), 30)
    topic.close()
    api.end()


def test_postgresql_that_hangs_is_told_as_away(own: Settings, api: Api) -> None:
    """Its processes are stopped, so that connections stay and nothing is answered."""
    name = urlsplit(own.postgres).path[1:]
    with postgres(own, autocommit=True) as asking:
        actual = asking.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", (name,)
        )
        stopped = [psutil.Process(pid) for (pid,) in actual.fetchall()]
        assert stopped
        for process in stopped:
            process.suspend()
        try:
            answers = [api.http.get(f"/v1/sellers/s{number}", timeout=15).status_code for number in (1, 2, 1)]
            assert set(answers) <= {200, 503}
            ids(api.http.post("/v1/purchases", json=purchase(6_100_001), headers={"Idempotency-Key": f"h-{SESSION}"}))
        finally:
            for process in stopped:
                # One that was thrown out may be gone.
                with suppress(psutil.NoSuchProcess):
                    process.resume()
    assert again(lambda: api.http.patch("/v1/sellers/s1", json={"city_name": "Almaty"})).status_code == 200


def test_a_purchase_is_accepted_after_a_restart_and_one_that_the_stream_refuses_is_refused(
    own: Settings, stream: Stream
) -> None:
    """The API's own purchases keep every rule that the stream has, so what is refused here comes past the API."""
    stream.stop()
    api = Api(own)
    api.start()
    where = api.http.post("/v1/purchases", json=purchase(6_200_001)).headers["location"]
    api.kill()
    api.start()
    assert api.http.get(where).json()["state"] == "accepted"

    event_id = f"refused-{SESSION}"
    producer = Producer(producer_config(own))
    producer.produce("purchases", b'{"purchase_id": "x"}', event_id.encode(),
                     headers=[("ce_id", event_id.encode()), ("ce_type", b"purchase")])  # fmt: skip
    producer.flush(10)
    stream.start()
    reported = until("the stream to refuse it", lambda: _found(api, f"/v1/purchases/{event_id}"), 120)
    assert (reported["state"], reported["rule"]) == ("refused", "purchased_at.required")
    until("silver to have the other", lambda: api.http.get(where).json()["state"] == "in_silver", 120)
    api.end()


def _found(api: Api, path: str) -> dict[str, Any] | None:
    answer = api.http.get(path)
    return answer.json() if answer.status_code == 200 else None
