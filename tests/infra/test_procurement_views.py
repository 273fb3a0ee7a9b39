"""What the cards of a company and of a contract answer, over rows: everything that belongs to them, and nothing else.

A view that files hold is asked beside its quick form with a parameter: both must say the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.contract import find
from tests.support.clickhouse import answers, definitions, inserted

BUYER, SUPPLIER, STRANGER = "001040004321", "110540001234", "220640004444"
OLD, NEW = "2021-01-01 00:00:00", "2026-02-01 00:00:00"
EMPTY: dict[str, Any] = {"changed_at": OLD, "fetched_at": NEW, "line_no": 0}

RowsByTable = dict[str, list[dict[str, Any]]]


def world(collection: str, buyer: str = BUYER, supplier: str = SUPPLIER) -> RowsByTable:
    """Of a plan the whole way: a tender, a lot, a bid, a contract with two addenda, items, acts, payments, and an
    entry in the register of bad suppliers, told by its list and by itself. Ids are the same in each collection."""
    parties = {"buyer_tax_id": buyer, "supplier_tax_id": supplier}
    ids = {"buyer_id": "b", "supplier_id": "s"}
    chain = {"root_id": "c1", "tender_id": "t1", **parties, **ids}
    listed = {"system_code": "3", "debarment_id": "d1", "supplier_tax_id": supplier}
    rows_by_table: RowsByTable = {
        "parties": [{"party_id": "b", "party_tax_id": buyer}, {"party_id": "s", "party_tax_id": supplier}],
        "party_addresses": [
            {"address_id": "a1", "party_id": "b", "kato_code": "750000000", "country_code": "398"},
            {"address_id": "a2", "party_id": "x"},
        ],
        "planning_items": [{"planning_item_id": "p1", "buyer_tax_id": buyer}],
        "tenders": [{"tender_id": "t1", "number": "T-1", "organiser_tax_id": STRANGER, "buyer_tax_id": buyer}],
        "lots": [
            {"lot_id": "l1", "number": "L-1", "buyer_tax_id": buyer},
            # What the publisher no longer has: its last version says so, and tells nothing else.
            {"lot_id": "l2", "number": "L-2", "buyer_tax_id": buyer},
            {"lot_id": "l2", "is_published": False, "changed_at": NEW},
        ],
        "bids": [
            {"bid_id": "o1", "lot_id": "l1", "supplier_tax_id": supplier},
            {"bid_id": "o2", "lot_id": None, "supplier_tax_id": supplier},
            {"bid_id": "o3", "lot_id": "l1", "supplier_tax_id": supplier},
            {"bid_id": "o3", "is_published": False, "changed_at": NEW},
        ],
        "awards": [parties | {"award_id": "w1", "number": "W-1"}, parties | {"award_id": "w9", "number": "W-9"}],
        "contracts": [
            chain | {"contract_id": "c1", "number": "C-1", "system_number": "S/1", "root_id": None,
                     "award_ids": '["w1"]'},
            chain | {"contract_id": "c2", "number": "C-1/1", "system_number": "S/1/1"},
            chain | {"contract_id": "c3", "number": "C-1/2", "system_number": "S/1/2"},
            chain | {"contract_id": "c9", "number": "C-9", "system_number": "S/9", "root_id": "c9",
                     "buyer_tax_id": STRANGER, "supplier_tax_id": STRANGER},
        ],
        "contract_items": [
            {"item_id": "i1", "contract_id": "c1"}, {"item_id": "i2", "contract_id": "c3"},
            {"item_id": "i9", "contract_id": "c9"},
        ],
        "acts": [
            ids | {"act_id": "k1", "contract_id": "c1", "root_contract_id": "c1"},
            ids | {"act_id": "k2", "contract_id": "c3", "root_contract_id": None},
            # The register names of some acts only the contract at the chain's beginning.
            ids | {"act_id": "k3", "contract_id": None, "root_contract_id": "c1"},
            ids | {"act_id": "k4", "contract_id": "0", "root_contract_id": "c1", "buyer_id": None, "supplier_id": "x"},
            ids | {"act_id": "k9", "contract_id": "c9", "root_contract_id": "c9", "buyer_id": "x", "supplier_id": "x"},
        ],
        "transactions": [
            {"transaction_id": "m1", "contract_id": "c2", "supplier_tax_id": supplier},
            {"transaction_id": "m9", "contract_id": "c9", "supplier_tax_id": STRANGER},
        ],
        "debarments": [
            listed | {"source_code": "rnu_entry", "started_at": "2021-01-01 00:00:00"},
            listed | {"source_code": "rnu", "changed_at": NEW, "started_at": None},
        ],
    }  # fmt: skip
    return {
        name: [EMPTY | {"collection_code": collection} | row for row in rows] for name, rows in rows_by_table.items()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ClickHouse with that world twice: the other collection has the same ids, and other companies."""
    place: Path = tmp_path_factory.mktemp("procurement")
    worlds = [world("a"), world("other", "330740001111", "440840002222")]
    inserts = [
        inserted(find(f"silver.procurement_{name}"), rows)
        for rows_by_table in worlds
        for name, rows in rows_by_table.items()
    ]
    assert answers(place, [*definitions(), *inserts]) == []
    return place


def parts(folder: Path, *questions: str) -> list[list[list[Any]]]:
    """The answers to questions whose rows end in `asked`, the question's number."""
    numbered = [f"SELECT {n} AS asked, * FROM ({question})" for n, question in enumerate(questions)]
    rows = answers(folder, numbered)
    return [[row[1:] for row in rows if row[0] == n] for n in range(len(questions))]


COMPANY = "SELECT part, role, number, toString(toDate(at)) FROM lookup.procurement_company(tax_id = '{0}') ORDER BY ALL"
CARD = (
    "SELECT part, role, number, toString(toDate(at)) FROM silver.procurement_company_card WHERE tax_id = '{0}' "
    "ORDER BY ALL"
)


def test_a_companys_card_has_everything_of_its_bin(folder: Path) -> None:
    buyer, supplier, buyers_card, suppliers_card, nobody = parts(
        folder, COMPANY.format(BUYER), COMPANY.format(SUPPLIER), CARD.format(BUYER), CARD.format(SUPPLIER),
        COMPANY.format("999940009999"),
    )  # fmt: skip

    assert [row[:3] for row in buyer] == [
        ["act", "buyer", "k1"], ["act", "buyer", "k2"], ["act", "buyer", "k3"],
        ["address", "itself", "a1"], ["award", "buyer", "W-1"], ["award", "buyer", "W-9"],
        ["contract", "buyer", "C-1"], ["contract", "buyer", "C-1/1"], ["contract", "buyer", "C-1/2"],
        ["lot", "buyer", "L-1"], ["party", "itself", "b"], ["payment", "buyer", "m1"],
        ["planning item", "buyer", "p1"], ["tender", "buyer", "T-1"],
    ]  # fmt: skip
    assert [row[:3] for row in supplier] == [
        ["act", "supplier", "k1"], ["act", "supplier", "k2"], ["act", "supplier", "k3"],
        ["award", "supplier", "W-1"], ["award", "supplier", "W-9"],
        ["bid", "supplier", "o1"], ["bid", "supplier", "o2"],
        ["contract", "supplier", "C-1"], ["contract", "supplier", "C-1/1"], ["contract", "supplier", "C-1/2"],
        ["debarment", "supplier", "d1"], ["party", "itself", "s"], ["payment", "supplier", "m1"],
    ]  # fmt: skip
    # Since when it is barred, which only the entry knows; the list is newer.
    assert [row[3] for row in supplier if row[0] == "debarment"] == ["2021-01-01"]
    assert (buyers_card, suppliers_card, nobody) == (buyer, supplier, [])


CONTRACT = (
    "SELECT collection_code, root_contract_id, part, number FROM lookup.procurement_contract(number = '{0}') "
    "WHERE collection_code = 'a' ORDER BY ALL"
)
OF_THE_CHAIN = [
    ["a", "c1", part, number]
    for part, numbers in (
        ("act", ("k1", "k2", "k3", "k4")), ("addendum", ("c2", "c3")), ("award", ("w1",)), ("contract", ("c1",)),
        ("item", ("i1", "i2")),
        ("payment", ("m1",)),
    )
    for number in numbers
]  # fmt: skip


def test_a_contracts_card_has_its_chain_its_awards_items_acts_and_payments(folder: Path) -> None:
    card = (
        "SELECT collection_code, root_contract_id, part, number FROM silver.procurement_contract_card "
        "WHERE collection_code = 'a' AND root_contract_id = 'c1' ORDER BY ALL"
    )
    named = [CONTRACT.format(number) for number in ("C-1", "C-1/2", "S/1", "S/1/1", "c1", "c2")]

    of_card, *of_contract = parts(folder, card, *named)

    assert of_card == OF_THE_CHAIN
    assert of_contract == [OF_THE_CHAIN] * len(named)


def test_a_contract_that_is_not_there_has_nothing(folder: Path) -> None:
    (actual,) = parts(folder, CONTRACT.format("C-2"))

    assert actual == []


def test_no_card_mixes_collections(folder: Path) -> None:
    one, other = parts(
        folder,
        "SELECT DISTINCT collection_code FROM lookup.procurement_company(tax_id = '110540001234')",
        "SELECT collection_code, count() FROM lookup.procurement_contract(number = 'C-1') GROUP BY ALL ORDER BY ALL",
    )

    assert (one, other) == ([["a"]], [["a", len(OF_THE_CHAIN)], ["other", len(OF_THE_CHAIN)]])
