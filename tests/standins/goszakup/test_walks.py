"""Walks through whole registers: every row once, in order, with references that resolve, the same for the same seed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.standins.goszakup.asking import Client, client_of

BY_ID = {
    "/v3/subject": "pid", "/v3/subject/all": "pid", "/v3/rnu": "id", "/v3/plans": "pid", "/v3/plans/all": "id",
    "/v3/plans/kato": "id", "/v3/plans/spec": "id", "/v2/plans/deleted": "id", "/v3/trd-buy": "id",
    "/v3/trd-buy/all": "id", "/v3/trd-app": "id", "/v3/lots": "id", "/v3/contract": "id", "/v3/contract/all": "id",
    "/v3/acts": "id", "/v3/treasury-pay": "id", "/v3/refs/ref_lots_status": "id",
}  # fmt: skip


@pytest.mark.parametrize("path", BY_ID)
def test_a_walk_yields_each_row_once_by_descending_id(client: Client, path: str) -> None:
    total = client.get("/standin/counts")["counts"][path]
    pages = list(client.pages(path, limit=max(5, total // 7)))
    ids = [int(row[BY_ID[path]]) for page in pages for row in page["items"]]

    assert len(ids) == total > 0
    assert ids == sorted(set(ids), reverse=True)
    assert {page["total"] for page in pages} == {total}
    assert all(len(page["items"]) == page["limit"] for page in pages[:-1])


@pytest.mark.parametrize("name", ["ref_units", "ref_kato", "ref_countries", "ref_currency"])
def test_dictionaries_without_ids_ascend_by_code(client: Client, name: str) -> None:
    codes = [row["code"] for row in client.walk(f"/v3/refs/{name}", limit=3)]

    assert codes == sorted(set(codes))
    assert len(codes) == client.get(f"/v3/refs/{name}")["total"]


def test_pages_have_fifty_rows_unless_asked_and_five_hundred_at_most(client: Client) -> None:
    first = client.get("/v3/lots")
    last = first["items"][-1]["id"]

    assert (first["limit"], len(first["items"])) == (50, 50)
    assert first["next_page"] == f"/v3/lots?page=next&search_after={last}"
    assert len(client.get("/v3/lots?limit=9999")["items"]) == 500
    assert client.get("/v3/lots?limit=2")["next_page"].startswith("/v3/lots?page=next&limit=2&search_after=")


def test_ids_have_gaps(client: Client) -> None:
    ids = [row["id"] for row in client.walk("/v3/lots")]

    assert {above - below for above, below in itertools.pairwise(ids)} >= {1, 2, 3, 4, 5}


def test_paths_with_values_find_what_the_whole_register_has(client: Client) -> None:
    lots, contracts = client.walk("/v3/lots"), client.walk("/v3/contract")
    lot, contract = lots[0], next(row for row in contracts if row["trd_buy_id"])
    cases = [
        (f"/v3/lots/bin/{lot['customer_bin']}", lots, "customer_bin", lot),
        (f"/v3/lots/number-anno/{lot['trd_buy_number_anno']}", lots, "trd_buy_number_anno", lot),
        (f"/v3/contract/supplier/{contract['supplier_biin']}", contracts, "supplier_biin", contract),
        (f"/v3/contract/customer/{contract['customer_bin']}", contracts, "customer_bin", contract),
        (f"/v3/contract/number-anno/{contract['trd_buy_number_anno']}", contracts, "trd_buy_number_anno", contract),
    ]

    for path, rows, field, one in cases:
        assert client.walk(path, limit=3) == [row for row in rows if row[field] == one[field]]
    assert client.get("/v3/lots/bin/000000000000") == {"total": 0, "limit": 50, "next_page": "", "items": []}


def test_references_resolve(client: Client) -> None:
    def ids(path: str, field: str = "id") -> set[Any]:
        return {row[field] for row in client.walk(path)}

    subjects, tenders = ids("/v3/subject", "pid"), ids("/v3/trd-buy")
    lots, points = ids("/v3/lots"), ids("/v3/plans/all")
    contracts, bids = client.walk("/v3/contract/all"), client.walk("/v3/trd-app")
    biins = {row["bin"] or row["iin"] for row in client.walk("/v3/subject")}
    offers = [offer for bid in bids for offer in bid["app_lots"]]
    held = {row["id"] for row in contracts}

    assert {row["trd_buy_id"] for row in client.walk("/v3/lots")} <= tenders
    assert {bid["buy_id"] for bid in bids} <= tenders
    assert {offer["lot_id"] for offer in offers} <= lots
    assert {int(point) for offer in offers for point in offer["point_list"]} <= points
    assert {point for row in client.walk("/v3/lots") for point in row["point_list"]} <= points
    assert {row["trd_buy_id"] for row in contracts} <= tenders | {0}
    assert {row["supplier_id"] for row in contracts} | {row["customer_id"] for row in contracts} <= subjects
    assert {row["supplier_biin"] for row in contracts} | {row["customer_bin"] for row in contracts} <= biins
    assert {row["parent_id"] for row in contracts} - {None} | {row["root_id"] for row in contracts} <= held
    assert ids("/v3/acts", "contract_id") | ids("/v3/treasury-pay", "contract_id") <= held
    assert ids("/v3/rnu", "supplier_biin") <= biins


def test_units_add_up_to_their_contract(client: Client) -> None:
    lots = {row["id"] for row in client.walk("/v3/lots")}
    seen = set()
    for contract in client.get("/v3/contract/all?limit=150")["items"]:
        units = client.walk(f"/v3/contract/{contract['id']}/units")
        if contract["deleted"] or not units:
            continue
        seen.add((bool(contract["trd_buy_id"]), bool(contract["parent_id"])))
        assert round(sum(unit["total_sum"] for unit in units), 2) == contract["contract_sum"]
        assert round(sum(unit["total_sum_wnds"] for unit in units), 2) == contract["contract_sum_wnds"]
        assert {unit["lot_id"] for unit in units} <= (lots if contract["trd_buy_id"] else {0})
    assert seen >= {(True, False), (False, False), (True, True)}


def test_the_traps_of_the_real_service_are_there(client: Client) -> None:
    contracts, lots = client.walk("/v3/contract/all"), client.walk("/v3/lots")
    tenders, subjects = client.walk("/v3/trd-buy/all"), client.walk("/v3/subject/all")
    listed = client.walk("/v3/rnu")
    signed = next(row for row in contracts if row["sign_date"])
    units = client.get(f"/v3/contract/{signed['id']}/units")["items"]
    people = client.get(f"/v3/subject/biin/{subjects[-1]['bin']}/employees")["items"]

    assert any((row["bin"] or "").startswith("0") for row in subjects)
    assert any(row["iin"] and not row["bin"] for row in subjects)
    assert any(row["name_kz"] is None for row in subjects)
    assert any(row["supplier_biin"] in {s["iin"] for s in subjects} for row in contracts)
    assert any(row["trd_buy_id"] == 0 and row["trd_buy_number_anno"] is None for row in contracts)
    assert any(row["parent_id"] and row["root_id"] != row["id"] for row in contracts)
    assert any(row["deleted"] == 1 for row in contracts)
    assert any(row["customer_bin"] is None for row in tenders)
    assert any(isinstance(row["amount"], float) for row in lots)
    assert any(row["kato_list"] is None and row["pid"] is None for row in listed)
    assert any(isinstance(row["pid"], str) for row in listed)
    assert people[0]["end_date"] == "1999-01-01 00:00:00"
    assert isinstance(units[0]["spec"][0]["plan_sum"], str)
    assert isinstance(client.get("/v3/trd-app")["items"][0]["app_lots"][0]["point_list"][0], str)


def test_a_supplier_listed_elsewhere_has_no_detail_page(client: Client) -> None:
    rows = client.walk("/v3/rnu")
    ours = {row["supplier_biin"] for row in rows if row["system_id"] == 3}
    elsewhere = next(row for row in rows if row["system_id"] == 2 and row["supplier_biin"] not in ours)

    assert client.ask(f"/v3/rnu/{elsewhere['supplier_biin']}").status_code == 404


def test_true_figures_are_those_of_the_rows(client: Client) -> None:
    truth = client.get("/standin/world")
    contracts, lots = client.walk("/v3/contract/all"), client.walk("/v3/lots")

    def tiyn(values: list[float]) -> int:
        return sum(round(value * 100) for value in values)

    for code, total in truth["contract_sum_wnds_by_status"].items():
        rows = [row for row in contracts if str(row["ref_contract_status_id"]) == code]
        assert tiyn([row["contract_sum_wnds"] for row in rows]) == total
    assert tiyn([row["amount"] for row in lots]) == truth["lots_amount"]
    assert tiyn([row["pay_amount"] for row in client.walk("/v3/treasury-pay")]) == truth["pay_amount"]
    assert sum(len(row["app_lots"]) for row in client.walk("/v3/trd-app")) == truth["offers"]


def test_nobody_is_paid_more_than_the_contract_says(client: Client) -> None:
    last: dict[int, float] = {}
    for row in reversed(client.walk("/v3/contract/all")):
        last[row["root_id"]] = row["contract_sum_wnds"]
    paid: dict[int, float] = {}
    for row in client.walk("/v3/treasury-pay"):
        paid[row["contract_id"]] = paid.get(row["contract_id"], 0) + row["pay_amount"]

    # Each payment's VAT is rounded down on its own.
    assert [contract for contract, amount in paid.items() if amount > last[contract] + 0.05] == []


def test_the_same_seed_and_days_give_the_same_bytes() -> None:
    one, other, third = client_of(400, 5), client_of(400, 5), client_of(400, 6)
    paths = ["/v3/subject/all", "/v3/plans/all", "/v3/trd-buy/all", "/v3/lots", "/v3/trd-app", "/v3/contract/all",
             "/v3/acts", "/v3/treasury-pay", "/v3/rnu", "/v3/journal"]  # fmt: skip
    for client in (one, other):
        client.ask("/standin/day", "POST")

    for path in paths:
        assert one.ask(path).content == other.ask(path).content
        assert one.ask(path).content != third.ask(path).content
