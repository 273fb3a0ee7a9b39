"""Files in the shape of real ones, of which each was read wrongly once: what is right of each."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.ingestion.procurement.ocds.held import CASES, Collection, loaded


def total(collection: Collection, kind: str) -> Decimal:
    return sum((Decimal(amount) for amount in collection.column(kind, "total_amount") if amount), Decimal(0))


def test_each_contract_shows_its_own_supplier() -> None:
    actual = loaded(CASES / "c6_party.json")
    names = dict(actual.column("party", "party_id", "name"))
    contracts = actual.column("contract", "contract_id", "supplier_id", "buyer_id")
    assert [(contract, names[supplier], names[buyer]) for contract, supplier, buyer in contracts] == [
        ("ocds-p-1/c", "Alpha Ltd", "Buyer of ocds-p-1"), ("ocds-p-2/c", "Beta GmbH", "Buyer of ocds-p-2"),
    ]  # fmt: skip
    assert len(names) == 4
    # The number, too, by which a company's card is asked for, is nobody else's.
    assert len({row["party_biin"] for row in actual.rows("party")}) == 4


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (1, 2, 1), (1, 1, 2, 2)])
def test_the_news_of_week_2_leave_what_week_1_said(order: tuple[int, ...]) -> None:
    actual = loaded(*(CASES / f"c13_week{week}.json" for week in order))
    (tender,) = actual.rows("tender")
    assert (tender["name"], tender["status_code"], tender["total_amount"], tender["currency_code"]) == (
        "Bridge", "complete", "500", "GBP"
    )  # fmt: skip
    assert actual.column("lot", "lot_id", "name", "total_amount") == [
        ("ocds-w-1/1", "Lot one", "300"), ("ocds-w-1/2", "Lot two", "200"),
    ]  # fmt: skip
    (contract,) = actual.rows("contract")
    names = dict(actual.column("party", "party_id", "name"))
    assert (names[contract["buyer_id"]], names[contract["supplier_id"]]) == ("Buyer plc", "Builder")
    assert (contract["total_amount"], contract["currency_code"]) == ("450", "GBP")
    assert len(names) == 2


def test_a_load_that_comes_again_sends_nothing_new() -> None:
    actual = loaded(CASES / "c13_week1.json", CASES / "c13_week2.json")
    assert actual.load(CASES / "c13_week2.json") == []
    assert actual.load(CASES / "c13_week1.json") == []


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (1, 2, 2), (1, 2, 1)])
def test_what_a_compiled_release_no_longer_has_is_gone(order: tuple[int, ...]) -> None:
    actual = loaded(*(CASES / f"c14_v{version}.json" for version in order))
    for kind in ("lot", "award", "contract"):
        assert total(actual, kind) == 10, kind
    assert actual.column("party", "name") == ["S1"]


def test_what_comes_back_is_there_again(tmp_path: Path) -> None:
    first, second, third = CASES / "c14_v1.json", CASES / "c14_v2.json", tmp_path / "v3.json"
    actual = loaded(first, second)
    third.write_text(first.read_text().replace("2024-01-01", "2024-03-01"))
    actual.load(third)
    assert total(actual, "contract") == 60


def test_times_without_seconds_are_times() -> None:
    actual = loaded(CASES / "c16_mixed.json")
    assert actual.column("tender", "tender_id", "changed_at") == [
        ("ocds-m-1", "2024-01-01T10:00:00Z"), ("ocds-m-2", "2024-01-01T10:00:00Z"),
        ("ocds-m-3", "2024-01-01T05:00:00Z"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "ocids", "sentence"),
    [
        ("c18_lines.jsonl", ["ocds-q-1", "ocds-q-2"], "c18_lines.jsonl, line 2, number 2: the release 'n' has no ocid"),
        ("c18_pkg.json", ["ocds-q-1", "ocds-q-2"], "c18_pkg.json, number 2: the release 'n' has no ocid; it is left"),
        ("c4_bad", ["ocds-b-1", "ocds-b-3"], "b_bad.json is no valid JSON: line 1, byte 126: found ',"),
        ("c3_html", ["ocds-h-1"], "b.json is a page of HTML, which sites give instead of data when something is wrong"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_all_else_is_loaded(name: str, ocids: list[str], sentence: str) -> None:
    actual = loaded(CASES / name)
    assert actual.column("tender", "tender_id") == ocids
    assert [each for each in actual.sentences if each.startswith(sentence)], actual.sentences
    assert actual.feed is not None
    assert actual.feed.problems == 1


def test_an_awards_value_is_counted_once() -> None:
    actual = loaded(CASES / "c19.json")
    assert total(actual, "award") == 900
    assert actual.column("contract", "total_amount", "currency_code", "award_ids") == [
        (None, "XXX", ["ocds-z-1/A"])
    ] * 3  # fmt: skip
    assert actual.column("lot", "lot_id") == []


def test_what_a_program_wrote_for_nothing_is_no_id() -> None:
    actual = loaded(CASES / "c2_peru.jsonl")
    assert [sentence for sentence in actual.sentences if "has no ocid" in sentence]
    assert actual.column("tender", "tender_id", "total_amount", "currency_code", "changed_at") == [
        ("ocds-dgv273-seacev3-2", "10", "PEN", "2019-06-02T05:00:00Z"),
        ("ocds-dgv273-seacev3-594356", "102007828.21", "PEN", "2019-06-01T05:00:00Z"),
    ]  # fmt: skip
    (award,) = actual.rows("award")
    assert (award["total_amount"], award.get("supplier_id")) == ("92980558.31", None)
    assert actual.column("contract", "total_amount", "award_ids") == [("92980558.31", [award["award_id"]])]
    assert actual.column("party", "name") == ["MTC"]
    assert actual.column("planning_item", "quantity") == ["12.84"]
