"""Each fault happens, is the same for the same seed, and is over by the third attempt."""

from __future__ import annotations

import asyncio

import httpx
import orjson
import pytest

from standins.goszakup.faults import KINDS, Faults
from tests.standins.goszakup.asking import TOKEN, Client, client_of

GOOD = client_of(400, 2)
SECOND = GOOD.get("/v3/contract/all?limit=20")["next_page"]


def broken(kind: str, seed: int = 1) -> Client:
    """The same world, where each request that can go wrong in this way does."""
    return client_of(400, 2, faults=Faults(seed, 1.0, (kind,), hang_seconds=30))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("hang", "bare")])
def test_a_fault_is_over_by_the_third_attempt(kind: str) -> None:
    client = broken(kind)
    answers = [client.ask(SECOND) for _ in range(3)]

    assert answers[0].content != GOOD.ask(SECOND).content
    assert (answers[2].status_code, answers[2].content) == (200, GOOD.ask(SECOND).content)
    assert client.get("/standin/faults") == {kind: 2}


def test_a_hanging_answer_outlasts_the_patience_of_a_client() -> None:
    client = broken("hang")

    async def patient() -> httpx.Response:
        return await asyncio.wait_for(client.http.get(SECOND, headers={"Authorization": f"Bearer {TOKEN}"}), 0.05)

    for _ in range(2):
        with pytest.raises(TimeoutError):
            client.runner.run(patient())
    assert client.runner.run(patient()).content == GOOD.ask(SECOND).content


def test_errors_are_those_of_the_service() -> None:
    client = broken("http")
    paths = [f"/v3/lots?limit={limit}" for limit in range(1, 60)]
    answers = [client.ask(path) for path in paths]

    assert {answer.status_code for answer in answers} == {429, 500, 502, 503}
    assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 429} == {"1"}
    assert {answer.json()["status"] for answer in answers if answer.status_code in (429, 500)} == {429, 500}


def test_a_cut_body_is_no_json() -> None:
    actual = broken("cut").ask(SECOND)

    assert int(actual.headers["content-length"]) > len(actual.content)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(actual.content)


def test_cursors_are_malformed_in_the_two_documented_ways() -> None:
    lost = broken("cursor").get("/v3/lots?limit=5")["next_page"]
    pages = [broken("cursor", seed).get("/v2/plans/deleted?limit=1") for seed in range(9)]
    swapped = {page["next_page"].partition("?")[0] for page in pages}
    good = GOOD.get("/v3/lots?limit=5")["next_page"]

    assert good == f"/v3{lost}"
    assert swapped == {"/plans/deleted", "/plans/spec"}


def test_pages_repeat_come_late_or_change_between_two() -> None:
    first, second = GOOD.get("/v3/contract/all?limit=20"), GOOD.get(SECOND)
    repeated, late, changed = (broken(kind).get(SECOND) for kind in ("repeat", "late", "change"))

    assert repeated["items"] == first["items"][-3:] + second["items"]
    assert repeated["next_page"] == second["next_page"]
    assert (late["items"], late["next_page"]) == (first["items"], SECOND)
    touched, *rest = changed["items"]
    before = first["items"][-1]
    assert rest == second["items"]
    assert touched["index_date"] > before["index_date"]
    assert {key for key in touched if touched[key] != before[key]} <= {"index_date", "last_update_date"}


def test_a_list_of_one_row_may_come_without_its_envelope() -> None:
    """As the documentation's sample of the treasury payments does, though it promises an envelope."""
    numbers = [row["contract_id"] for row in GOOD.walk("/v3/treasury-pay")]
    (single, *_) = [number for number in numbers if numbers.count(number) == 1]
    (several, *_) = [number for number in numbers if numbers.count(number) > 1]
    client = broken("bare")

    (row,) = GOOD.get(f"/v3/treasury-pay/{single}")["items"]
    assert [client.get(f"/v3/treasury-pay/{single}") for _ in range(2)] == [row, row]
    assert client.get(f"/v3/treasury-pay/{single}")["items"] == [row], "the third attempt is answered well"
    assert client.get(f"/v3/treasury-pay/{several}") == GOOD.get(f"/v3/treasury-pay/{several}")


def test_the_same_seed_makes_the_same_faults() -> None:
    def seen(seed: int) -> list[tuple[int, int]]:
        kinds = tuple(kind for kind in KINDS if kind != "hang")
        client = client_of(200, 2, faults=Faults(seed, 0.5, kinds))
        answers = [client.ask(f"/v3/lots?limit={limit}") for limit in range(1, 30)]
        return [(answer.status_code, len(answer.content)) for answer in answers]

    assert seen(4) == seen(4) != seen(5)


def test_without_a_seed_nothing_goes_wrong() -> None:
    assert {GOOD.ask(f"/v3/lots?limit={limit}").status_code for limit in range(1, 40)} == {200}


def test_who_asks_too_often_is_told_to_wait() -> None:
    client = client_of(200, 1, rate=3)
    answers = [client.ask("/v3/refs/ref_months") for _ in range(6)]

    assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["type"] == "yii\\web\\TooManyRequestsHttpException"
