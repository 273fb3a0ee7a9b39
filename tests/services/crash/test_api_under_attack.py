"""What the API answers with its real parts: nothing bad gets through, and ClickHouse shows what was sent."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.purchases.analytics import QUESTIONS
from conf import LOOPBACK, Settings
from conf.connect import clickhouse
from tests.support.api import Api, Topic, database, ids, problem, purchase, sellers
from tests.support.stream import Stream
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "negative_data_rejection,ignored_auth,unsupported_method,response_headers_conformance"
)
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]
"""What refuses wrong data; the tool's own list lacks 413, which a list too long for any purchase is answered with."""
LEAST_OPERATIONS = 30
"""As many paths and methods the document has; a run that was cut short must not look like a good one."""


@pytest.fixture(scope="module")
def own(chosen: Settings) -> Iterator[Settings]:
    with database(chosen) as result:
        yield result


@pytest.fixture
def api(own: Settings) -> Iterator[Api]:
    # Another test may have deleted them: schemathesis tries every path.
    sellers(own, "s1", "s2")
    created = Api(own)
    created.start()
    yield created
    created.end()


@pytest.mark.parametrize(("path", "body", "media", "status"), [
    ("/v1/purchases", b"x" * 10_000_000, "application/json", 413),
    ("/v1/purchases", b"[" * 1_000_000, "application/json", 400),
    ("/v1/purchases", b'{"a":' * 150_000, "application/json", 400),
    ("/v1/purchases", b"\xff\xfe", "application/json", 400),
    ("/v1/purchases", b"{}", "text/plain", 415),
    ("/v1/purchases:batch", b'{"purchases":[' + b"{}," * 1_000 + b"{}]}", "application/json", 422),
    ("/v1/purchases:batch", b'{"purchases":[' + b"[]," * 2_600_000 + b"[]]}", "application/json", 422),
    ("/v1/sellers", b'{"seller_id":"' + b"x" * 100_000 + b'"}', "application/json", 413),
])  # fmt: skip
def test_bad_bodies_are_refused_and_reach_nobody(api: Api, path: str, body: bytes, media: str, status: int) -> None:
    topic = Topic(api.settings, "purchases")
    problem(api.http.post(path, content=body, headers={"Content-Type": media}), status)

    assert api.http.get("/healthz").status_code == 200
    assert topic.ids() == []
    topic.close()


def test_sql_in_a_parameter_is_a_value(api: Api) -> None:
    words = "x' OR 1=1; DROP TABLE shop.products; --"

    assert api.http.get("/v1/products", params={"seller_id": words}).json()["items"] == []
    problem(api.http.get("/v1/products", params={"sort": words}), 422)
    problem(api.http.get(f"/v1/products/{words.replace('/', '')[:60]}"), 404)
    assert api.http.get("/v1/sellers/s1").status_code == 200


def test_a_missing_or_wrong_key_is_refused(api: Api) -> None:
    for header in ({}, {"Authorization": "Bearer demo.wrong"}, {"Authorization": "Bearer x"}):
        answer = httpx.get(f"{api.url}/v1/sellers", headers=header)
        problem(answer, 401)


def test_a_gigabyte_and_slow_clients_leave_it_alive(own: Settings) -> None:
    """A body without end, and fifty heads that never end, at the same time."""
    api = Api(own, SAUDA_API_HEADER_SECONDS="2", SAUDA_API_BODY_SECONDS="2")
    api.start()
    address = (LOOPBACK, int(api.url.rpartition(":")[2]))
    slow = [socket.create_connection(address) for _ in range(50)]
    for each in slow:
        each.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n")

    def endless() -> Iterator[bytes]:
        piece = b" " * (1 << 20)
        for _ in range(1_024):
            yield piece

    # It may hang up before all is sent.
    try:
        headers = {"Content-Type": "application/json"}
        assert api.http.post("/v1/purchases", content=endless(), headers=headers).status_code == 413
    except httpx.TransportError:
        pass
    ids(api.http.post("/v1/purchases", json=purchase(7_000_001)))
    assert api.process is not None
    assert psutil.Process(api.process.pid).memory_info().rss < 400 << 20
    for each in slow:
        each.settimeout(10)
        assert b" 408 " in each.recv(1_000)
        each.close()
    api.end()


DENSE = (
    ("/v1/purchases:batch", b'{"purchases":[' + b"[]," * 2_600_000 + b"[]]}"),
    ("/v1/purchases:batch", b'{"purchases":[' + b",".join(b"[" + b"[]," * 95_000 + b"0]" for _ in range(26)) + b"]}"),
    ("/v1/purchases", b'{"lines":[' + b"[]," * 95_000 + b"0]}"),
)


def test_bodies_that_are_dear_to_read_hold_up_nobody_else(own: Settings) -> None:
    """Six clients send them all the time; another one's requests are answered soon, and memory stays bounded."""
    sellers(own, "s1")
    api = Api(own)
    api.start()
    stopping = threading.Event()
    statuses: list[int] = []

    def attack(number: int) -> None:
        path, body = DENSE[number % len(DENSE)]
        with httpx.Client(base_url=api.url, headers=api.http.headers, timeout=60) as http:
            while not stopping.is_set():
                answer = http.post(path, content=body, headers={"Content-Type": "application/json"})
                statuses.append(answer.status_code)

    def answered(number: int) -> float:
        began = time.monotonic()
        ids(api.http.post("/v1/purchases", json=purchase(7_500_000 + number)))
        return time.monotonic() - began

    answered(0)
    attackers = [threading.Thread(target=attack, args=(number,)) for number in range(6)]
    for each in attackers:
        each.start()
    try:
        until("the attack to be under way", lambda: len(statuses) >= 6, 60)
        taken = sorted(answered(number) for number in range(1, 41))
    finally:
        stopping.set()
        for each in attackers:
            each.join()
    assert set(statuses) <= {413, 422, 503}
    # The attackers share the two cores: before, one such body alone held all others for a second and a half.
    assert taken[20] < 0.5, taken
    assert taken[-1] < 1.5, taken
    assert api.process is not None
    assert psutil.Process(api.process.pid).memory_info().rss < 400 << 20
    api.end()


def test_schemathesis_finds_nothing(api: Api, tmp_path: Path) -> None:
    """What breaks the document is refused, what is answered is as documented, and nothing is a fault of ours.

    That valid data is taken is left out: the document cannot say which sellers there are.
    """
    statuses = json.dumps([str(status) for status in REFUSALS])
    (tmp_path / "schemathesis.toml").write_text(f"[checks]\nnegative_data_rejection.expected-statuses = {statuses}\n")
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json", "--no-color",
        "--max-examples", "10", "-H", f"Authorization: Bearer {api.settings.secrets.api_key}", "--checks", CHECKS,
        "--seed", "1", "--phases", "examples,coverage,fuzzing",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, timeout=300)

    actual = done.stdout[done.stdout.find("FAILURES") :].splitlines()
    assert done.returncode == 0, "\n".join(line[:300] for line in actual)[:8_000]
    ran = re.search(r"Selected: (\d+)/(\d+)", done.stdout)
    assert ran, done.stdout[-2_000:]
    assert int(ran[1]) == int(ran[2]) >= LEAST_OPERATIONS


def test_a_purchase_is_in_clickhouse_within_two_seconds(api: Api, stream: Stream, chosen: Settings) -> None:
    stream.start()
    stream.wait_ready()
    client = clickhouse(chosen)

    def seconds(number: int) -> float:
        (event_id,) = ids(api.http.post("/v1/purchases", json=purchase(number)))
        began = time.monotonic()
        question = "SELECT count() FROM silver.purchase_lines FINAL WHERE event_id = %(id)s"
        until("ClickHouse to show it",
              lambda: client.query(question, {"id": event_id}).result_rows[0][0], 60, pause=0.02)  # fmt: skip
        taken = time.monotonic() - began
        actual = api.http.get(f"/v1/purchases/{event_id}").json()
        assert actual["state"] == "in_silver"
        assert actual["purchase"]["lines"][0]["line_amount"] == "24.6912"
        return taken

    # The first ones find cold Java.
    for number in range(5):
        seconds(8_000_000 + number)
    taken = sorted(seconds(8_000_100 + n) for n in range(5))
    _one_purchase_however_it_is_spelt(api, client)
    client.close()
    # The best of them: what else the machine does meanwhile is not what is tested.
    assert taken[0] < 2.0


def _one_purchase_however_it_is_spelt(api: Api, client: Any) -> None:
    """Sent by two processes, of which the second knows the number from ClickHouse alone; then corrected twice."""
    first = purchase(8_100_000, purchased_at="2026-01-31T09:30:00Z")
    text = json.dumps(first)
    spellings = [
        text, text.replace('"12.3456"', "12.34560"), text.replace('"12.3456"', "123456e-4"),
        text.replace(": 2,", ": 2.0,"), text.replace("09:30:00Z", "14:30:00.0000000+05:00"),
        json.dumps(first | {"source": "retry", "customer_id": None}),
    ]  # fmt: skip
    number, path = first["purchase_id"], f"/v1/purchases/s1/{first['purchase_id']}"
    question = "SELECT sum(quantity) FROM silver.purchases_accounted WHERE purchase_id = %(number)s"
    lines = "SELECT count() FROM silver.purchase_lines FINAL WHERE purchase_id = %(number)s"

    def sent(http: httpx.Client) -> set[str]:
        headers = {"Content-Type": "application/json"}
        return {ids(http.post("/v1/purchases", content=each, headers=headers))[0] for each in spellings}

    (event_id,) = sent(api.http)
    until("silver to have it", lambda: client.query(lines, {"number": number}).result_rows[0][0], 60, pause=0.1)
    api.stop()
    api.start()
    assert sent(api.http) == {event_id}
    other = first | {"lines": [first["lines"][0] | {"quantity": 3}]}
    problem(api.http.post("/v1/purchases", json=other), 409)
    (second,) = ids(api.http.put(path, json=other))
    assert api.http.put(path, json=other).status_code == 200
    (third,) = ids(api.http.put(path, json=first))
    assert len({event_id, second, third}) == 3
    until("silver to have all", lambda: client.query(lines, {"number": number}).result_rows[0][0] == 3, 60, pause=0.1)
    state = api.http.get(f"/v1/purchases/{event_id}?sold_on=2026-01-31").json()
    assert (state["state"], state["superseded_by"]["event_id"]) == ("superseded", third)
    assert api.http.get(state["superseded_by"]["status_url"]).json()["state"] == "in_silver"
    question += " AND status = 'accepted'"
    until("only what holds to count", lambda: client.query(question, {"number": number}).result_rows[0][0] == 2, 120)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_question_is_answered_by_the_real_tables(api: Api, question: Any) -> None:
    given = {parameter.name: parameter.example for parameter in question.filters}
    for query in ({}, given):
        answer = api.http.get(f"/v1/analytics/{question.name}", params=query)
        assert answer.status_code == 200, answer.text
        for item in answer.json()["items"]:
            assert set(item) == {column.name for column in question.columns()}
