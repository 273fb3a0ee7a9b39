"""Questions to ClickHouse: fixed SQL, bound values, a limit; and how ClickHouse is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from api.analytics.question import Question
from api.backends.warehouse import ClickHouse
from api.http.problems import Problem
from api.purchases.analytics import QUESTIONS
from conf import Settings
from schemas.contract import contract
from schemas.derive.fakes import fill
from schemas.purchases.gold import SellerDaily
from tests.api.asking import RUNNER, Client, problem
from tests.support.clickhouse import definitions
from tests.support.local_clickhouse import LocalClickHouse, insert

ALL = [pytest.param(question, id=question.name) for question in QUESTIONS]
INJECTION = "x' OR 1=1; DROP TABLE gold.purchases_hourly --"


@pytest.mark.parametrize("question", ALL)
def test_no_value_stands_in_the_sql(api: Client, question: Question) -> None:
    texts = [p.name for p in question.filters if p.name not in ("since", "until")]
    query = dict.fromkeys(texts, INJECTION) | {"limit": "7"}

    answer = api.ask("GET", f"/v1/analytics/{question.name}", params=query)

    assert answer.json() == {"items": []}
    ((sql, given),) = api.warehouse.queries
    assert "1=1" not in sql
    assert sql.endswith(" LIMIT {limit:UInt32}")
    assert given == dict.fromkeys(texts, INJECTION) | {"limit": 7}
    assert all(f"{{{name}:String}}" in sql for name in texts)


@pytest.mark.parametrize("question", ALL)
def test_the_limit_is_100_and_at_most_10_000(api: Client, question: Question) -> None:
    path = f"/v1/analytics/{question.name}"

    assert api.get(path).status_code == api.get(f"{path}?limit=10000").status_code == 200
    assert [given["limit"] for _, given in api.warehouse.queries] == [100, 10_000]
    assert problem(api.get(f"{path}?limit=10001"), 422)["errors"][0]["parameter"] == "limit"


@pytest.mark.parametrize(("query", "parameter"), [
    ("since=2026-02-30", "since"), ("until=yesterday", "until"), ("since=2026-02-02&until=2026-02-01", "until"),
    ("since=1700000000", "since"), ("seller_id=%00", "seller_id"), ("category_name=tea", "category_name"),
])  # fmt: skip
def test_wrong_parameters_are_named(api: Client, query: str, parameter: str) -> None:
    answered = problem(api.get(f"/v1/analytics/sales/by-day?{query}"), 422)

    assert answered["errors"][0]["parameter"] == parameter
    assert api.warehouse.queries == []


def test_a_period_is_of_days_of_which_both_count(api: Client) -> None:
    api.get("/v1/analytics/sales/by-category?since=2026-01-01&until=2026-01-01&category_name=tea")

    ((sql, given),) = api.warehouse.queries
    assert "t.sold_on >= {since:Date32} AND t.sold_on <= {until:Date32}" in sql
    assert "t.category_name = {category_name:String}" in sql
    assert (given["since"], given["until"]) == (date(2026, 1, 1), date(2026, 1, 1))


def test_only_what_adds_up_is_added() -> None:
    for question in QUESTIONS:
        if question.by:
            assert "customer_count" not in [c.name for c in question.columns()]
            assert "currency_code" in question.by, "amounts of two currencies do not add up"


def test_clickhouse_away_takes_only_its_own_paths(api: Client) -> None:
    api.warehouse.is_away = True

    answer = api.get("/v1/analytics/sales/by-day")

    assert problem(answer, 503)["detail"] == "ClickHouse does not answer now. Try again in 5 seconds."
    assert answer.headers["retry-after"] == "5"
    assert api.get("/healthz").status_code == 200


def test_clickhouse_answers_every_question(tmp_path: Path) -> None:
    """On all contracts' tables: two sellers, two days and two currencies are told apart and added up."""
    sold = {"order_count": 2, "sales_amount": Decimal("10.5000"), "returns_amount": Decimal("0.5000"),
            "revenue_amount": Decimal(10)}  # fmt: skip
    worth = {"base_currency_code": "KZT", "unconverted_line_count": 0}
    rows = [
        (1, "s1", "KZT", 10), (2, "s1", "KZT", 10), (1, "s2", "KZT", 10), (1, "s1", "USD", 5), (9, "s1", "KZT", 10),
        (1, "s3", "EUR", None),
    ]  # fmt: skip
    daily = contract(SellerDaily)
    inserted = insert(daily, [
        fill(daily, sold | worth | {"sold_on": date(2026, 1, day), "seller_id": seller, "currency_code": code,
                                    "revenue_base_amount": None if base is None else Decimal(base)})
        for day, seller, code, base in rows
    ])  # fmt: skip
    given = {"since": "2026-01-01", "until": "2026-01-02", "limit": "100", "currency_code": "KZT", "seller_id": "s1",
             "product_id": "p", "customer_id": "c", "category_name": "tea"}  # fmt: skip
    before = [*definitions(), inserted, *(f"SET param_{name} = '{value}'" for name, value in given.items())]
    by_seller = QUESTIONS[0].sql({"since": 1, "until": 1})
    folder = tmp_path / "clickhouse"
    folder.mkdir()

    actual = LocalClickHouse(folder).ask(by_seller, *(q.sql(dict.fromkeys(given)) for q in QUESTIONS), before=before)

    columns = ("seller_id", "currency_code", "order_count", "revenue_amount", "revenue_base_amount")
    # By what it is worth: ten dollars are five here; what has no rate comes last.
    assert [tuple(row[c] for c in columns) for row in actual[0]] == [
        ("s1", "KZT", 4, "20", "20"), ("s2", "KZT", 2, "10", "10"), ("s1", "USD", 2, "10", "5"),
        ("s3", "EUR", 2, "10", None),
    ]  # fmt: skip
    assert {row["base_currency_code"] for row in actual[0]} == {"KZT"}
    assert [(row["seller_id"], row["revenue_amount"]) for row in actual[1]] == [("s1", "20")]
    assert [list(row) for row in actual[1]] == [[c.name for c in QUESTIONS[0].columns()]]
    assert [row["sold_on"] for row in actual[4]] == ["2026-01-01", "2026-01-02"]


def query_of(tmp_path: Path, answer: Any, sql: str = "SELECT 1", **parameters: Any) -> tuple[Any, list[httpx.Request]]:
    """What the client makes of an answer of ClickHouse, and what it had asked."""
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        actual: httpx.Response = answer
        return actual

    client = ClickHouse(Settings(stack="unit", home=tmp_path), httpx.MockTransport(respond))

    async def run() -> Any:
        try:
            return await client.rows(sql, parameters)
        finally:
            await client.close()

    return RUNNER.run(run()), seen


def test_clickhouse_is_asked_as_the_reader_with_bound_values(tmp_path: Path) -> None:
    answered = {"meta": [{"name": "a", "type": "Int64"}, {"name": "b", "type": "String"}], "data": [[1, "x"], [2, "y"]]}
    values = {"day": date(2026, 1, 2), "text": "a\tb\\c\nd'", "n": 5, "m": Decimal("1.50"),
              "at": datetime(2026, 1, 2, 3, tzinfo=UTC), "l": ["a'b", "c"]}  # fmt: skip

    rows, (request,) = query_of(
        tmp_path, httpx.Response(200, content=orjson.dumps(answered)), "SELECT {n:Int64}", **values
    )

    assert rows == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert request.headers["x-clickhouse-user"] == "reader"
    assert request.content == b"SELECT {n:Int64}"
    bound = {k.removeprefix("param_"): v for k, v in request.url.params.items() if k.startswith("param_")}
    assert bound == {
        "day": "2026-01-02", "text": "a\\tb\\\\c\\nd'", "n": "5", "m": "1.50", "at": "2026-01-02 03:00:00.000000",
        "l": "['a\\'b','c']",
    }  # fmt: skip


@pytest.mark.parametrize("answer", [
    httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.Response(502, text="<html>"),
    httpx.Response(500, headers={"X-ClickHouse-Exception-Code": "159"}, text="TIMEOUT_EXCEEDED"),
])  # fmt: skip
def test_a_clickhouse_that_cannot_is_a_503(tmp_path: Path, answer: Any) -> None:
    with pytest.raises(Problem) as answered:
        query_of(tmp_path, answer)

    assert answered.value.status == 503
    assert "Retry-After" in answered.value.headers


def test_a_question_that_is_wrong_is_a_fault_of_ours(tmp_path: Path) -> None:
    answer = httpx.Response(400, headers={"X-ClickHouse-Exception-Code": "47"}, text="UNKNOWN_IDENTIFIER")

    with pytest.raises(RuntimeError, match="UNKNOWN_IDENTIFIER"):
        query_of(tmp_path, answer)
