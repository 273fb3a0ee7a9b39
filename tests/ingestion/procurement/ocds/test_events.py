"""What is sent of a process: exact values of a small case, and what publishers write otherwise."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.contract import tables
from tests.ingestion.procurement.ocds.samples import (
    AWARD,
    BUYER,
    CONTRACT,
    LOSER,
    NOW,
    TENDER,
    Json,
    bodies,
    opened,
    package,
    sent,
    written,
)

AT = "2026-01-30T00:00:00Z"
OF_BUYER = {"buyer_id": "XX-1", "buyer_code": "1"}
OF_WINNER = {"supplier_id": "XX-2", "supplier_biin": "2"}
EXPECTED: list[tuple[str, Json]] = [
    ("planning_item", OF_BUYER | {
        "planning_item_id": "ocds-x-1/a", "name": "A4", "enstru_code": "30197630", "unit_code": "KG", "quantity": "2.5",
        "unit_amount": "400", "currency_code": "EUR", "method_code": "open", "subject_code": "1",
    }),
    ("tender", {
        "tender_id": "ocds-x-1", "number": "T1", "name": "Paper", "status_code": "complete", "method_code": "open",
        "total_amount": "1500.5", "currency_code": "EUR", "organiser_id": "XX-1", "organiser_code": "1",
        "buyer_code": "1", "subject_code": "1", "lot_count": 2, "started_at": "2026-01-02T00:00:00Z",
        "ended_at": "2026-01-10T12:00:00+06:00", "awarded_at": "2026-01-20T00:00:00Z",
    }),
    ("lot", OF_BUYER | {
        "lot_id": "ocds-x-1/1", "number": "1", "tender_id": "ocds-x-1", "tender_number": "T1", "name": "White",
        "status_code": "active", "method_code": "open", "total_amount": "1000", "currency_code": "EUR",
        "planning_item_ids": ["ocds-x-1/a"], "quantity": "2.5",
    }),
    ("lot", OF_BUYER | {
        "lot_id": "ocds-x-1/2", "number": "2", "tender_id": "ocds-x-1", "tender_number": "T1", "name": "Blue",
        "status_code": "cancelled", "method_code": "open", "currency_code": "XXX",
    }),
    ("bid", OF_WINNER | {
        "application_id": "ocds-x-1/b1", "tender_id": "ocds-x-1", "currency_code": "EUR",
        "submitted_at": "2026-01-05T10:00:00Z",
        "app_lots": [{"id": "ocds-x-1/b1", "lot_id": "ocds-x-1/1", "amount": "900.1", "status_id": "winner"}],
    }),
    ("bid", {
        "supplier_id": "ocds-x-1/XX-3", "supplier_biin": "ocds-x-1/XX-3",
        "application_id": "ocds-x-1/b2", "tender_id": "ocds-x-1", "currency_code": "EUR",
        "app_lots": [
            {"id": "ocds-x-1/b2/1", "lot_id": "ocds-x-1/1", "status_id": "qualified"},
            {"id": "ocds-x-1/b2/2", "lot_id": "ocds-x-1/2", "status_id": "qualified"},
        ],
    }),
    ("award", OF_BUYER | OF_WINNER | {
        "award_id": "ocds-x-1/w", "number": "w", "tender_id": "ocds-x-1", "tender_number": "T1",
        "lot_ids": ["ocds-x-1/1"], "supplier_ids": ["XX-2"], "status_code": "active", "total_amount": "900.1",
        "currency_code": "EUR", "method_code": "open", "awarded_at": "2026-01-20T00:00:00Z",
    }),
    ("contract", OF_BUYER | OF_WINNER | {
        "contract_id": "ocds-x-1/c", "root_id": "ocds-x-1/c", "number": "c", "tender_id": "ocds-x-1",
        "tender_number": "T1", "award_ids": ["ocds-x-1/w"], "lot_ids": ["ocds-x-1/1"], "kind_code": "1",
        "status_code": "active", "currency_code": "XXX", "method_code": "open", "description": "Supply of paper",
        "signed_at": "2026-01-25T00:00:00Z", "planned_end_at": "2026-12-31T00:00:00Z",
    }),
    ("contract_item", {
        "item_id": "ocds-x-1/c/a", "contract_id": "ocds-x-1/c", "lot_id": "ocds-x-1/1",
        "planning_item_id": "ocds-x-1/a", "tender_id": "ocds-x-1", "quantity": "2", "currency_code": "XXX",
    }),
    ("milestone", {
        "act_id": "ocds-x-1/c/m", "contract_id": "ocds-x-1/c", "root_contract_id": "ocds-x-1/c", "number": "m",
        "status_code": "met", "status_name": "met", "acted_at": "2026-01-28T00:00:00Z", "buyer_id": "XX-1",
        "supplier_id": "XX-2",
    }),
    ("transaction", {
        "transaction_id": "ocds-x-1/c/t", "contract_id": "ocds-x-1/c", "supplier_biin": "2", "paid_amount": "100.0",
        "currency_code": "EUR", "paid_at": "2026-01-29T00:00:00Z",
    }),
    # In the publisher's own words: red flags compare these.
    ("process", {
        "process_id": "ocds-x-1", "status": "complete", "method": "open", "starts": "2026-01-02",
        "ends": "2026-01-10T12:00:00+06:00", "buyer": "XX-1", "organiser": "XX-1", "bid_count": 2,
        "bids": [
            {"status": "valid", "date": "2026-01-05T10:00:00Z", "amount": "900.1", "currency": "EUR",
             "tenderers": ["XX-2"]},
            {"status": "Qualified", "date": None, "amount": "950", "currency": "EUR", "tenderers": ["XX-3"]},
        ],
        "awards": [{"status": "active", "suppliers": ["XX-2"], "classifications": []}],
    }),
    # Known within its process only, for its number is not told; the others are the same wherever they act.
    ("party", {"party_id": "ocds-x-1/XX-3", "party_biin": "ocds-x-1/XX-3", "name": "Loser Ltd", "is_buyer": False,
               "is_organiser": False, "is_supplier": False, "is_tenderer": True}),
    ("party", {"party_id": "XX-1", "party_biin": "1", "name": "Ministry", "is_buyer": True, "is_organiser": True,
               "is_supplier": False, "is_tenderer": False}),
    ("party", {"party_id": "XX-2", "party_biin": "2", "name": "Winner Ltd", "email": "a@b.example", "phone": "+1",
               "is_buyer": False, "is_organiser": False, "is_supplier": True, "is_tenderer": True}),
    ("address", {"address_id": "XX-2", "party_id": "XX-2", "address": "2 Low St, Oslo"}),
]  # fmt: skip


@pytest.fixture
def process(tmp_path: Path) -> Path:
    return written(tmp_path / "process.json", package(TENDER, AWARD, CONTRACT))


def one(path: Path, kind: str, **release: Any) -> list[Json]:
    output = {"ocid": "o", "id": "1", "date": "2026-01-01T00:00:00Z", "tag": ["tender"]} | release
    return bodies(written(path / "one.json", package(output)), kind)


def test_a_process_is_sent_entity_by_entity(process: Path) -> None:
    messages = sent(process)
    expected = [(f"ocds.{kind}", body | {"changed_at": AT}) for kind, body in EXPECTED]
    actual = [(dict(m.headers)["ce_type"].decode(), body) for m, body in zip(messages, bodies(process), strict=True)]
    assert actual == expected
    assert [m.lines for m in messages if b"/b" in m.key] == [1, 2]


def test_an_event_says_what_it_is_and_of_which_collection(process: Path) -> None:
    tender = sent(process)[1]
    assert tender.key == b"x:ocds.tender:ocds-x-1"
    key, _, digest = tender.event_id.rpartition(":")
    assert (key.encode(), len(digest), set(digest) <= set("0123456789abcdef")) == (tender.key, 16, True)
    headers = dict(tender.headers)
    assert headers["ce_id"] == tender.event_id.encode()
    assert (headers["ce_type"], headers["collection"], headers["ce_source"]) == (b"ocds.tender", b"x", b"ocds:x")
    assert headers["ce_time"] == NOW.isoformat().replace("+00:00", "Z").encode()


def test_every_field_that_is_sent_is_read_by_the_silver_table_of_its_type(process: Path) -> None:
    seen: Counter[str] = Counter()
    for message, body in zip(sent(process), bodies(process), strict=True):
        kind = dict(message.headers)["ce_type"].decode()
        (table,) = (t for t in tables("silver", "procurement") if kind in t.fed_by)
        tokens = {token for column in table.columns for token in column.source_fields}
        fields = {*body} - {"app_lots"} | {f"app_lots.{name}" for row in body.get("app_lots", []) for name in row}
        assert fields - tokens == set(), kind
        needed = [c for c in table.columns if c.source_fields and not c.optional]
        missing = [c for c in needed if not any(t in fields or t[0] in "=@" for t in c.source_fields)]
        assert missing == [], kind
        seen[kind] += 1
    assert len(seen) == 12


def test_sent_again_it_is_the_same_and_a_change_is_another_event(process: Path, tmp_path: Path) -> None:
    ids = [m.event_id for m in sent(process)]
    assert [m.event_id for m in sent(process)] == ids
    changed = package(TENDER, AWARD, CONTRACT | {"date": "2026-02-01T00:00:00Z"})
    assert not {m.event_id for m in sent(written(tmp_path / "later.json", changed))} & set(ids)


def test_what_could_not_be_sent_is_counted(process: Path) -> None:
    feed = opened(process)
    assert feed.total == len(list(feed.messages())) == len(EXPECTED)
    assert feed.figures() == {
        "releases": 3, "processes": 1, "release_problems": 0, "files_left_out": 0, "undated": 0, "left_out": 1,
        "doubled_ids": 0, "unknown_statuses": 1, "unknown_currencies": 0, "removed": 0,
    }  # fmt: skip
    assert feed.closing() == (
        "Left out: 1 sums of bids for several lots. 1 statuses were unknown and passed as they are, in lower case: "
        "bid 'Qualified' (1). --statuses FILE tells what they are."
    )


def test_of_a_tender_without_lots_none_is_made_up(tmp_path: Path) -> None:
    tender = {"id": "T", "title": "Road", "value": {"amount": 5, "currency": "EUR"}}
    bids = {"details": [{"id": 7, "tenderers": [{"id": "s"}], "value": {"amount": 4}}]}
    award = {"id": "w", "suppliers": [{"id": "s"}]}
    assert one(tmp_path, "lot", tender=tender, bids=bids) == []
    (output,) = one(tmp_path, "tender", tender=tender)
    assert "lot_count" not in output
    (bid,) = one(tmp_path, "bid", tender=tender, bids=bids, awards=[award])
    assert bid["app_lots"] == [{"id": "o/7", "amount": "4", "status_id": "winner"}]
    assert bid["currency_code"] == "XXX"


def test_no_bid_and_no_contract_is_made_of_an_award(tmp_path: Path) -> None:
    award = {"id": "w", "status": "active", "suppliers": [{"id": "s"}], "value": {"amount": 1, "currency": "EUR"}}
    kinds = [m.key.split(b":")[1] for m in sent(written(tmp_path / "a.json", package(TENDER | {"awards": [award]})))]
    assert set(kinds) == {
        b"ocds.planning_item",
        b"ocds.tender",
        b"ocds.lot",
        b"ocds.award",
        b"ocds.process",
        b"ocds.party",
    }


def test_suppliers_that_act_together_are_one_of_their_own(tmp_path: Path) -> None:
    award = {"id": "w", "status": "active", "suppliers": [{"id": "s2", "name": "B"}, {"id": "s1", "name": "A"}]}
    (contract,) = one(tmp_path, "contract", awards=[award], contracts=[{"id": "c", "awardID": "w"}])
    assert (contract["supplier_id"], contract["supplier_biin"]) == ("o/s1+o/s2", "o/s1+o/s2")
    assert "tender_id" not in contract
    assert contract["currency_code"] == "XXX"


def test_of_a_winners_own_bids_only_the_one_with_the_awards_sum_won(tmp_path: Path) -> None:
    def bid(number: str, amount: float, status: str) -> Json:
        return {"id": number, "status": status, "tenderers": [{"id": "s"}], "value": {"amount": amount}}

    bids = {"details": [bid("1", 10, "valid"), bid("2", 9, "valid"), bid("3", 9, "disqualified")]}
    award = {"id": "w", "status": "active", "suppliers": [{"id": "s"}], "value": {"amount": 9}}
    output = one(tmp_path, "bid", tender={"id": "T"}, bids=bids, awards=[award])
    assert [b["app_lots"][0]["status_id"] for b in output] == ["valid", "winner", "disqualified"]
    cancelled = one(tmp_path, "bid", tender={"id": "T"}, bids=bids, awards=[award | {"status": "cancelled"}])
    assert [b["app_lots"][0]["status_id"] for b in cancelled] == ["valid", "valid", "disqualified"]


def test_organisations_of_1_0_stand_where_they_act_and_become_parties(tmp_path: Path) -> None:
    buyer = {"identifier": {"scheme": "GB-COH", "id": 77, "legalName": "City"}, "address": {"country": "GB"}}
    release = {
        "buyer": buyer,
        "tender": {"id": "T", "tenderers": [{"name": "Bidder"}]},
        "awards": [{"id": "w", "status": "active", "suppliers": [{"name": "Bidder"}], "value": {"amount": 3}}],
        "contracts": [{
            "id": "c", "awardID": "w",
            "implementation": {"transactions": [{"id": "p", "amount": {"amount": 2, "currency": "GBP"}}]},
        }],
    }  # fmt: skip
    parties = one(tmp_path, "party", **release)
    assert parties == [
        {"party_id": "o/Bidder", "party_biin": "o/Bidder", "name": "Bidder", "is_buyer": False, "is_organiser": False,
         "is_supplier": True, "is_tenderer": True, "changed_at": "2026-01-01T00:00:00Z"},
        {"party_id": "GB-COH-77", "party_biin": "77", "name": "City", "country_code": "GB", "is_buyer": True,
         "is_organiser": False, "is_supplier": False, "is_tenderer": False, "changed_at": "2026-01-01T00:00:00Z"},
    ]  # fmt: skip
    (paid,) = one(tmp_path, "transaction", **release)
    assert (paid["paid_amount"], paid["currency_code"], paid["supplier_biin"]) == ("2", "GBP", "o/Bidder")


def test_an_address_is_sent_by_itself_and_a_party_without_one_has_none(tmp_path: Path) -> None:
    home = {"streetAddress": "1 High St", "locality": "Leeds", "postalCode": "LS1", "country": "GB"}
    parties = [BUYER | {"address": home}, LOSER | {"address": {"country": "GB"}}]

    assert one(tmp_path, "address", parties=parties) == [
        {"address_id": "XX-1", "party_id": "XX-1", "address": "1 High St, Leeds, LS1", "country_code": "GB",
         "changed_at": "2026-01-01T00:00:00Z"},
    ]  # fmt: skip
    assert all("address" not in party for party in one(tmp_path, "party", parties=parties))


def test_a_party_with_other_numbers_only_is_known_by_the_first(tmp_path: Path) -> None:
    numbers = [{"scheme": "GB-CHC"}, {"scheme": "GB-COH", "id": "5"}, {"scheme": "GB-VAT", "id": "6"}]
    alone = {"name": "Charity", "identifier": {"legalName": "Charity"}, "additionalIdentifiers": numbers}
    beside = {"id": "y", "identifier": {"id": "4"}, "additionalIdentifiers": numbers}

    actual = one(tmp_path, "party", parties=[alone, beside])

    # Both have the same number in the same register.
    assert [(party["party_id"], party["party_biin"]) for party in actual] == [("GB-COH-5", "5")]


def test_a_party_of_many_processes_has_all_its_roles_and_its_newest_name(tmp_path: Path) -> None:
    first = {"ocid": "1", "id": "1", "date": "2026-03-01", "tag": ["tender"], "parties": [BUYER | {"name": "New"}]}
    second = {
        "ocid": "2",
        "id": "1",
        "date": "2026-02-01",
        "tag": ["tender"],
        "parties": [BUYER | {"roles": ["supplier"]}],
    }
    (party,) = bodies(written(tmp_path / "p.json", package(first, second)), "party")
    assert (party["name"], party["is_buyer"], party["is_supplier"]) == ("New", True, True)
    assert party["changed_at"] == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("written_as", "sent_as"),
    [("1500.10", "1500.10"), ("0.1", "0.1"), ("1e3", "1000"), ("12345678901234567890.12", "12345678901234567890.12"),
     ("1e999999999", "1E+999999999"), ('"1,5"', "1,5"), ("7", "7"), ("true", None), ("null", None)],
)  # fmt: skip
def test_amounts_are_sent_as_they_were_written(tmp_path: Path, written_as: str, sent_as: str | None) -> None:
    path = tmp_path / "amount.json"
    head = '{"releases": [{"ocid": "o", "date": "2026-01-01", "tender": {"id": "T", "value": {"amount": '
    path.write_text(f"{head}{written_as}}}}}}}]}}")
    (tender,) = bodies(path, "tender")
    assert tender.get("total_amount") == sent_as


def test_the_plan_is_sent_with_its_budget(tmp_path: Path) -> None:
    planning = {
        "rationale": "Old ones leak",
        "budget": {"description": "Pipes", "amount": {"amount": 8, "currency": "EUR"}},
    }
    (plan,) = one(tmp_path, "planning_item", planning=planning, buyer={"id": "b"})
    assert plan == {
        "planning_item_id": "o", "name": "Pipes", "description": "Old ones leak", "total_amount": "8",
        "currency_code": "EUR", "buyer_id": "o/b", "buyer_code": "o/b", "changed_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip


def test_parts_of_another_shape_are_left_out_and_counted(tmp_path: Path) -> None:
    tender = {"id": "T", "value": [5], "lots": "none", "items": [{"description": "no id"}, "text"]}
    output = {"ocid": "o", "id": "1", "date": "2026-01-01", "tag": ["compiled"], "tender": tender, "contracts": {}}
    feed = opened(written(tmp_path / "odd.json", package(output)))
    assert [message.key for message in feed.messages()] == [b"x:ocds.tender:o", b"x:ocds.process:o"]
    assert feed.closing().startswith("Left out: ")
    for what in ("1 value that is no object", "1 lots that are no objects", "items without an id"):
        assert what in feed.closing()
