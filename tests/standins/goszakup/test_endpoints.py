"""The stand-in beside the documented endpoints: path by path, field by field, type by type."""

from __future__ import annotations

import re
from typing import Any

import pytest

from standins.goszakup.routes import ROUTES
from tests.standins.goszakup.asking import Client

NUMBERS = range(74)
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
DATE6 = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
TWELVE = re.compile(r"\d{12}")


@pytest.fixture(scope="session")
def known(client: Client) -> dict[str, str]:
    """Values for the paths' own values, such that something is found."""
    lot = client.get("/v3/lots")["items"][-1]
    contract = next(row for row in client.walk("/v3/contract/all") if row["trd_buy_id"] and not row["deleted"])
    cancelled = client.truths("cancelled_tenders")[0]["trd_buy_ids"]
    tenders = [row["id"] for row in client.walk("/v3/trd-buy")]
    paused = next(tender for tender in tenders if client.get(f"/v3/trd-buy/{tender}/pause")["total"])
    paid = client.get("/v3/treasury-pay")["items"][0]["contract_id"]
    listed = next(row for row in client.walk("/v3/rnu") if row["system_id"] == 3)
    subject = client.get("/v3/subject")["items"][0]
    return {
        "/v3/subject/biin/{biin}": contract["supplier_biin"],
        "/v3/subject/biin/{biin}/address": contract["supplier_biin"],
        "/v3/subject/biin/{biin}/employees": contract["supplier_biin"],
        "/v3/subject/{pid}": subject["pid"],
        "/v3/rnu/{biin}": listed["supplier_biin"],
        "/v3/plans/{customer_bin}": lot["customer_bin"],
        "/v3/plans/view/{id}": lot["point_list"][0],
        "/v3/trd-buy/bin/{org_bin}": client.get(f"/v3/trd-buy/{lot['trd_buy_id']}")["org_bin"],
        "/v3/trd-buy/number-anno/{number_anno}": lot["trd_buy_number_anno"],
        "/v3/trd-buy/{id}": lot["trd_buy_id"],
        "/v3/trd-buy/{id}/commission": lot["trd_buy_id"],
        "/v3/trd-buy/{id}/pause": paused,
        "/v3/trd-buy/{id}/cancel": cancelled[0],
        "/v3/lots/number-anno/{number_anno}": lot["trd_buy_number_anno"],
        "/v3/lots/bin/{customer_bin}": lot["customer_bin"],
        "/v3/lots/{id}": lot["id"],
        "/v3/contract/number-anno/{number_anno}": contract["trd_buy_number_anno"],
        "/v3/contract/supplier/{biin}": contract["supplier_biin"],
        "/v3/contract/customer/{bin}": contract["customer_bin"],
        "/v3/contract/number/": contract["contract_number"],
        "/v3/contract/number-sys/": contract["contract_number_sys"],
        "/v3/contract/{id}": contract["id"],
        "/v3/contract/{id}/units": contract["id"],
        "/v3/acts/{id}": client.get("/v3/acts")["items"][0]["id"],
        "/v3/treasury-pay/{contract_id}": paid,
    }


def wrong(kind: Any, value: Any, where: str) -> list[str]:
    """What differs from the documented type; null may stand anywhere, and money may have tiyn."""
    if isinstance(kind, dict):
        if not isinstance(value, dict) or set(value) != set(kind):
            return [f"{where}: fields {value.keys() if isinstance(value, dict) else value!r}, documented {list(kind)}"]
        return [actual for name in kind for actual in wrong(kind[name], value[name], f"{where}.{name}")]
    if isinstance(kind, list):
        if value is None:
            return []
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [actual for one in value for actual in wrong(kind[0], one, f"{where}[]")]
    if value is None or kind in ("null", "?"):
        return []
    good = {
        "int": isinstance(value, int) or (isinstance(value, float) and round(value, 2) == value),
        "float": isinstance(value, int | float),
        "string": isinstance(value, str),
        "string(12 digits)": isinstance(value, str) and TWELVE.fullmatch(value),
        "datetime": isinstance(value, str) and DATE.fullmatch(value),
        "datetime6": isinstance(value, str) and DATE6.fullmatch(value),
    }[kind]
    return [] if good and not isinstance(value, bool) else [f"{where}: {value!r} is no {kind}"]


def test_the_paths_are_the_documented_ones(endpoints: list[dict[str, Any]]) -> None:
    kinds = {"html": "html", "graphql": "graphql", "page": "page", "object": "object"}

    assert [(r.method, r.path, r.answer, list(r.query)) for r in ROUTES] == [
        (e["method"], e["path"], kinds[e["answer"]], e["query"]) for e in endpoints
    ]


@pytest.mark.parametrize("number", NUMBERS)
def test_fields_and_types_are_the_documented_ones(
    client: Client, endpoints: list[dict[str, Any]], known: dict[str, str], number: int
) -> None:
    endpoint = endpoints[number]
    path = endpoint["path"]
    if endpoint["answer"] == "graphql":
        answer = client.ask(path, "POST", json={"query": "{ Lots(limit: 1) { id } }"}).json()
        assert list(answer) == ["data", "extensions"]
        return
    if endpoint["answer"] == "html":
        assert client.ask(path).headers["content-type"].startswith("text/html")
        return
    value = str(known.get(path, ""))
    requests = f"{path}?number={value}" if endpoint["query"] == ["number"] else re.sub(r"\{\w+\}", value, path)
    answer = client.get(requests)

    if endpoint["answer"] == "page":
        assert list(answer) == ["total", "limit", "next_page", "items"]
        assert answer["items"], f"{requests} answers with no rows"
        assert [type(answer[name]) for name in ("total", "limit", "next_page")] == [int, int, str]
        rows = answer["items"]
    else:
        rows = [answer]
    assert [actual for row in rows for actual in wrong(endpoint["fields"], row, path)][:3] == []


def test_every_documented_field_has_a_value_somewhere(client: Client, endpoints: list[dict[str, Any]]) -> None:
    """A field that is always null would hide a type that nobody has compared."""
    empty = []
    for endpoint in endpoints:
        if endpoint["answer"] == "page" and "{" not in endpoint["path"] and "/refs/" not in endpoint["path"]:
            rows = client.walk(endpoint["path"])
            for name, kind in endpoint["fields"].items():
                if kind != "null" and all(row[name] is None for row in rows):
                    empty.append(f"{endpoint['path']} {name}")

    assert set(empty) <= {
        "/v3/subject/all website", "/v3/plans/all ref_justification_id", "/v3/plans/all ref_amendment_agreem_type_id",
        "/v3/plans/all ref_amendm_agreem_justif_id", "/v3/plans/all contract_prev_point_id",
        "/v3/plans/all transfer_sys_subjects_id", "/v3/plans/all transfer_type", "/v3/trd-app mod_fio",
        "/v3/acts parent_id",
    }  # fmt: skip


def test_an_item_of_a_dictionary_has_a_path_of_its_own(client: Client) -> None:
    assert client.get("/v3/refs/ref_lots_status/240")["code"] == "PublishedOfferAccept"
    assert client.get("/v3/refs/ref_kato/750000000")["name_ru"] == "г.Алматы"


@pytest.mark.parametrize(
    ("token", "status", "kind"),
    [(None, 401, "Unauthorized"), ("", 401, "Unauthorized"), ("another", 403, "Forbidden")],
)
def test_a_wrong_token_is_refused(client: Client, token: str | None, status: int, kind: str) -> None:
    actual = client.ask("/v3/lots", token=token)

    assert (actual.status_code, actual.json()["status"], actual.json()["name"]) == (status, status, kind)
    assert actual.json()["type"] == f"yii\\web\\{kind}HttpException"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v3/subject/biin/000000000000", "Компания не найдена"),
        ("/v3/lots/1", "Запись не найдена"),
        ("/v3/contract/number-sys/?number=000140001536/160089/00", "Запись не найдена"),
        ("/v3/nothing", "Страница не найдена."),
    ],
)
def test_what_is_not_there_is_told_in_the_error_envelope(client: Client, path: str, message: str) -> None:
    actual = client.ask(path)

    assert actual.json() == {
        "name": "Not Found", "message": message, "code": 0, "status": 404, "type": "yii\\web\\NotFoundHttpException",
    }  # fmt: skip


@pytest.mark.parametrize("query", ["limit=0", "limit=many", "search_after=abc"])
def test_what_cannot_be_understood_is_400(client: Client, query: str) -> None:
    assert client.ask(f"/v3/lots?{query}").status_code == 400
