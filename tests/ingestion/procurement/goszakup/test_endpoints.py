from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.procurement.endpoints import ENDPOINTS, by_name, by_path, by_service, details, item_of, registers

LISTED = json.loads((Path(__file__).parent / "endpoints.json").read_text(encoding="utf-8"))["endpoints"]


@pytest.mark.parametrize("listed", LISTED, ids=lambda listed: listed["path"])
def test_each_endpoint_is_as_the_services_page_lists_it(listed: dict[str, Any]) -> None:
    endpoint = ENDPOINTS[listed["n"] - 1]
    assert (endpoint.number, endpoint.method, endpoint.path) == (listed["n"], listed["method"], listed["path"])
    assert (list(endpoint.query), endpoint.answer) == (listed["query"], listed["answer"])
    assert set(endpoint.fields) == set(listed["fields"])


def test_there_are_74_with_names_of_their_own() -> None:
    assert len(ENDPOINTS) == len(by_name()) == len(LISTED) == 74
    kinds = [endpoint.path.startswith("/v3/refs/") for endpoint in ENDPOINTS]
    assert (kinds.count(True), kinds.count(False)) == (30, 44)


def test_keys_and_versions_are_fields_of_their_rows() -> None:
    for endpoint in ENDPOINTS:
        if endpoint.fields:
            assert set(endpoint.key) <= endpoint.known_fields, endpoint.name
            assert endpoint.version is None or endpoint.version in endpoint.known_fields
    versions = {name: by_name()[name].version for name in ("lots", "plans_all", "trd_buy_all", "plans", "ref_units")}
    assert versions == {
        "lots": "index_date", "plans_all": "timestamp", "trd_buy_all": "index_date", "plans": None, "ref_units": None,
    }  # fmt: skip


def test_a_load_collects_the_widest_variants_and_all_dictionaries() -> None:
    names = [endpoint.name for endpoint in registers()]
    assert names[:13] == [
        "subject_all", "rnu", "plans", "plans_all", "plans_kato", "plans_spec", "plans_deleted", "trd_buy_all",
        "trd_app", "lots", "contract_all", "acts", "treasury_pay",
    ]  # fmt: skip
    assert len(names) == 43
    assert all(name.startswith("ref_") for name in names[13:])


def test_details_and_items_belong_to_their_registers() -> None:
    assert [e.name for e in details("trd_buy_all")] == ["trd_buy_commission", "trd_buy_pause", "trd_buy_cancel"]
    assert [e.name for e in details("contract_all")] == ["contract_units"]
    assert [e.name for e in details("subject_all")] == ["subject_address", "subject_employees"]
    assert [e.name for e in details("rnu")] == ["rnu_entry"]
    items = {e.name: item.name for e in registers() if (item := item_of(e.name))}
    assert items == {
        "subject_all": "subject_pid", "plans_all": "plans_view", "trd_buy_all": "trd_buy_id", "lots": "lots_id",
        "contract_all": "contract_id", "acts": "acts_id",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["trd_buy", "trd-buy", "TrdBuy"])
def test_the_journals_word_for_a_register_may_be_spelt_in_several_ways(word: str) -> None:
    actual = by_service(word)
    assert actual is not None
    assert actual.name == "trd_buy_all"


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/v3/subject/1234", "subject_pid", "1234"),
        ("/v3/subject/all", "subject_all", ""),
        ("/v3/rnu/050540004455", "rnu_entry", "050540004455"),
        ("/v3/contract/17/units", "contract_units", "17"),
        ("/v3/plans/view/5", "plans_view", "5"),
        ("/v3/plans/050540004455", "plans_bin", "050540004455"),
        ("/v3/contract/number-sys/", "contract_number_sys", ""),
    ],
)
def test_a_path_is_found_with_its_value(path: str, name: str, value: str) -> None:
    actual = by_path(path)
    assert actual is not None
    assert (actual[0].name, actual[1]) == (name, value)


def test_an_unknown_path_is_none() -> None:
    assert by_path("/v3/nothing/17/at/all") is None
