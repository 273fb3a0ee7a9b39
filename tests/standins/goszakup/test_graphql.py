"""GraphQL beside REST: the same rows under other names, with limit, after and filter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.standins.goszakup.asking import Client

ROOTS = ["Subjects", "TrdBuy", "Lots", "TrdApp", "Plans", "Contract", "ContractAct", "TreasuryPay", "RnuList"]


def query(client: Client, text: str, **variables: Any) -> Any:
    body = {"operationName": None, "query": text, "variables": variables}
    return client.ask("/v3/graphql", "POST", json=body).json()


def test_a_walk_by_after_yields_what_the_register_has(client: Client) -> None:
    text = "query ($after: Int) { Lots(limit: 150, after: $after) { id lotNumber customerBin pointList } }"
    actual, after = [], None
    while True:
        answer = query(client, text, after=after)
        info = answer["extensions"]["pageInfo"]
        actual += answer["data"]["Lots"]
        after = info["lastId"]
        if not info["hasNextPage"]:
            break

    rows = client.walk("/v3/lots")
    assert actual == [
        {"id": r["id"], "lotNumber": r["lot_number"], "customerBin": r["customer_bin"], "pointList": r["point_list"]}
        for r in rows
    ]
    assert (info["totalCount"], info["limitPage"]) == (len(rows), 150)


def test_filters_find_by_value_by_range_of_dates_and_by_pattern(client: Client) -> None:
    contracts = client.walk("/v3/contract/all")
    biin = contracts[0]["supplier_biin"]
    cases = {
        f'supplierBiin: "{biin}"': lambda row: row["supplier_biin"] == biin,
        'signDate: ["2025-02-01", "2025-03-01"]':
            lambda row: "2025-02-01" <= (row["sign_date"] or "")[:10] < "2025-03-02",
        'contractNumber: "1?"': lambda row: len(row["contract_number"]) == 2 and row["contract_number"][0] == "1",
        "refContractStatusId: [120, 455]": lambda row: row["ref_contract_status_id"] in (120, 455),
    }  # fmt: skip
    for text, fits in cases.items():
        wanted = [row["id"] for row in contracts if fits(row)]
        answer = query(client, f"{{ Contract(filter: {{{text}}}, limit: 5) {{ id }} }}")
        assert wanted
        assert [row["id"] for row in answer["data"]["Contract"]] == wanted[:5]
        assert answer["extensions"]["pageInfo"]["totalCount"] == len(wanted)


def test_rows_within_rows(client: Client) -> None:
    answer = query(client, "{ TrdApp(limit: 1) { buyId AppLots { lotId Offers { pointId price } } } }")
    row = client.get("/v3/trd-app?limit=1")["items"][0]

    assert answer["data"]["TrdApp"] == [{
        "buyId": row["buy_id"],
        "AppLots": [
            {"lotId": lot["lot_id"], "Offers": [{"pointId": o["point_id"], "price": o["price"]} for o in lot["offers"]]}
            for lot in row["app_lots"]
        ],
    }]  # fmt: skip


def test_a_contract_knows_its_supplier_and_units(client: Client) -> None:
    row = client.get("/v3/contract/all?limit=1")["items"][0]
    text = "{ Contract(limit: 1) { Supplier { pid } units: ContractUnits { id lotId } } }"

    assert query(client, text)["data"]["Contract"] == [{
        "Supplier": {"pid": row["supplier_id"]},
        "units": [{"id": unit["id"], "lotId": unit["lot_id"]}
                  for unit in client.walk(f"/v3/contract/{row['id']}/units")],
    }]  # fmt: skip


def test_a_fragment_is_what_it_holds(client: Client) -> None:
    text = "query { Lots(limit: 3) { ...named ... on Lots { lotNumber } } } fragment named on Lots { number: id }"
    rows = client.get("/v3/lots?limit=3")["items"]
    assert query(client, text)["data"]["Lots"] == [
        {"number": row["id"], "lotNumber": row["lot_number"]} for row in rows
    ]  # fmt: skip


def test_a_variable_within_a_filter_may_be_left_out(client: Client) -> None:
    text = "query ($bin: String) { Lots(limit: 1, filter: { customerBin: $bin }) { customerBin } }"
    bin_of_first = client.get("/v3/lots?limit=1")["items"][0]["customer_bin"]
    assert query(client, text)["data"]["Lots"] == query(client, text, bin=bin_of_first)["data"]["Lots"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ Nothing { id } }", 'Cannot query field "Nothing" on type "Query".'),
        ("{ Lots { nothing } }", 'Cannot query field "nothing" on type "Lots".'),
        ("{ Lots { id }", "Syntax Error: Expected Name, found <EOF>."),
        ("mutation { x }", "The service has queries only."),
        ("{ Lots { ...row } }", 'Unknown fragment "row".'),
        ("{ Lots { ...row } } fragment row on Lots { ...row }", 'Cannot spread fragment "row" within itself.'),
    ],
)
def test_what_cannot_be_answered_is_told(client: Client, text: str, message: str) -> None:
    assert query(client, text)["errors"] == [{"message": message}]


def test_the_schema_page_lists_the_types_and_their_fields(client: Client) -> None:
    page = client.ask("/help/v3/schema/").text

    assert [f">{root}<" in page for root in ROOTS] == [True] * len(ROOTS)
    assert "trdBuyNumberAnno" in page
