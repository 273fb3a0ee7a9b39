"""What real publishers do otherwise than the standard says, each in a file of its shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.ingestion.procurement.ocds.held import Collection, loaded
from tests.ingestion.procurement.ocds.samples import package, written

Json = dict[str, Any]


def release(ocid: str = "o", **parts: Any) -> Json:
    return {"ocid": ocid, "id": "1", "date": "2026-01-01T00:00:00Z", "tag": ["tender"]} | parts


def compiled(ocid: str = "o", **parts: Any) -> Json:
    return {"ocid": ocid, "tag": ["compiled"], **parts}


def of(path: Path, *releases: Json) -> Collection:
    return loaded(written(path / "file.json", package(*releases)))


def notice(number: int) -> Json:
    """A notice of TED: each numbers its organisations anew, contracts name several awards, days have zones."""
    return release(
        f"ocds-ted-{number}", date="2026-01-05+02:00",
        parties=[
            {"id": "ORG-0001", "name": f"City {number}", "roles": ["buyer"], "identifier": {"id": str(number)}},
            {"id": "ORG-0002", "name": "Firm", "roles": ["supplier"], "identifier": {"scheme": "ES-CIF", "id": "B9"}},
            {"id": "ORG-0003", "name": f"Loser {number}", "additionalIdentifiers": [{"scheme": "internal", "id": "7"}]},
        ],
        buyer={"id": "ORG-0001"},
        tender={"id": "t", "lots": [{"id": "LOT-0001"}, {"id": "LOT-0002"}]},
        bids={"details": [
            {"id": "TEN-0001", "tenderers": [{"id": "ORG-0002"}], "relatedLots": ["LOT-0001"], "value": {"amount": 8}},
            {"id": "TEN-0002", "tenderers": [{"id": "ORG-0003"}], "relatedLots": ["LOT-0001"], "value": {"amount": 8}},
        ]},
        awards=[
            {"id": "RES-0001", "status": "active", "relatedBids": ["TEN-0001"]},
            {"id": "RES-0002", "status": "unsuccessful", "relatedLots": ["LOT-0002"]},
        ],
        contracts=[{"id": "CON-0001", "awardIDs": ["RES-0001"], "dateSigned": "2026-01-04+02:00"}],
    )  # fmt: skip


def test_organisations_of_a_notice_are_those_of_no_other(tmp_path: Path) -> None:
    actual = of(tmp_path, *(notice(number) for number in range(100)))
    # A buyer and a loser a notice, and the winner, whose number says that it is the same in all.
    assert len(actual.rows("party")) == 201
    names = dict(actual.column("party", "party_id", "name"))
    for number, (lot_id, buyer) in enumerate(sorted(actual.column("lot", "lot_id", "buyer_id"))[::2]):
        assert names[buyer] == f"City {lot_id.split('/')[0].removeprefix('ocds-ted-')}", number
    assert {row["supplier_id"] for row in actual.rows("contract")} == {"ES-CIF-B9"}
    # A number of the buyer's own making is nobody's number.
    assert len({row["party_biin"] for row in actual.rows("party")}) == 201


def test_an_award_has_the_supplier_and_the_lots_of_the_bids_that_it_names(tmp_path: Path) -> None:
    actual = of(tmp_path, notice(1))
    won, lost = actual.rows("award")
    assert (won["supplier_ids"], won["lot_ids"]) == (["ES-CIF-B9"], ["ocds-ted-1/LOT-0001"])
    assert (lost["lot_ids"], "supplier_id" in lost, lost["status_code"]) == (
        ["ocds-ted-1/LOT-0002"], False, "unsuccessful"
    )  # fmt: skip
    assert actual.column("bid", "id", "status_id") == [("ocds-ted-1/TEN-0001", "winner"), ("ocds-ted-1/TEN-0002", None)]
    (contract,) = actual.rows("contract")
    assert (contract["award_ids"], contract["lot_ids"]) == (["ocds-ted-1/RES-0001"], ["ocds-ted-1/LOT-0001"])
    assert (contract["signed_at"], contract["changed_at"]) == ("2026-01-04T00:00:00+02:00", "2026-01-04T22:00:00Z")
    assert actual.column("lot", "lot_id") == ["ocds-ted-1/LOT-0001", "ocds-ted-1/LOT-0002"]


def test_bidders_as_objects_ids_as_numbers_and_seven_digits_of_a_second_are_read(tmp_path: Path) -> None:
    """As in the Dominican Republic."""
    bids = [
        {"id": "DO1", "date": "2022-12-08 15:45:47.8730413", "value": {"amount": 196000.006}, "status": "Valid",
         "tenderers": {"id": 86075, "name": "Transolucion"}},
        {"id": 2, "date": "2022-12-19 16:00:00.0000000", "tenderers": {"id": 235, "name": "Santo Domingo Motors"}},
    ]  # fmt: skip
    award = {"id": 7.0, "suppliers": {"id": 86075}, "value": {"amount": "5.10", "currency": "dop"}}
    contracts = [{"id": 1, "awardID": 7, "suppliers": {"id": 235}}, {"id": 2, "awardID": "7"}]
    actual = of(tmp_path, release(bids={"details": bids}, awards={"7": award}, contracts=contracts, parties={
        "a": {"id": 86075, "name": "Transolucion", "roles": "supplier"}, "b": {"id": "235"},
    }))  # fmt: skip
    assert actual.column("bid", "id", "supplier_id", "submitted_at", "amount") == [
        ("o/2", "o/235", "2022-12-19T16:00:00Z", None),
        ("o/DO1", "o/86075", "2022-12-08T15:45:47.873041Z", "196000.006"),
    ]  # fmt: skip
    assert actual.column("award", "award_id", "total_amount", "currency_code") == [("o/7", "5.10", "DOP")]
    assert actual.column("contract", "supplier_id", "award_ids") == [("o/235", ["o/7"]), ("o/86075", ["o/7"])]
    assert actual.column("party", "party_id", "name", "is_tenderer") == [
        ("o/235", "Santo Domingo Motors", True), ("o/86075", "Transolucion", True),
    ]  # fmt: skip


def test_each_contract_has_its_own_supplier_and_a_joint_award_those_that_act_together(tmp_path: Path) -> None:
    award = {"id": "a", "suppliers": [{"id": "s1"}, {"id": "s2"}], "value": {"amount": 9, "currency": "EUR"}}
    contracts = [
        {"id": "1", "awardID": "a", "suppliers": {"id": "s1"}},
        {"id": "2", "awardID": "a", "suppliers": [{"id": "s2"}]},
        {"id": "3", "awardID": "a", "suppliers": ["s1"]}, {"id": "4", "awardID": "a"},
    ]  # fmt: skip
    actual = of(tmp_path, release(awards=[award], contracts=contracts))
    assert actual.column("contract", "supplier_id") == ["o/s1", "o/s2", "o/s1", "o/s1+o/s2"]
    assert actual.column("award", "supplier_ids", "total_amount") == [(["o/s1", "o/s2"], "9")]


def test_two_forms_of_one_party_meet(tmp_path: Path) -> None:
    """With its number in one place, with its id in another, with its name alone in a third."""
    numbered = {"id": "2", "name": "Alpha", "identifier": {"scheme": "gb-coh", "id": "0123"}}
    actual = of(tmp_path, release(
        parties=[{"id": "1", "name": "Ministry"}, {"id": "2", "name": "Alpha"}], buyer="Ministry",
        awards=[{"id": "a", "suppliers": [{"id": 2}]}, {"id": "b", "suppliers": [numbered]}],
        contracts=[{"id": "c", "awardID": "a", "suppliers": [{"name": "ALPHA"}]}, {"id": "d", "suppliers": ["2"]}],
    ))  # fmt: skip
    assert actual.column("party", "party_id", "party_biin") == [("GB-COH-0123", "0123"), ("o/1", "o/1")]
    assert {*actual.column("award", "supplier_id"), *actual.column("contract", "supplier_id")} == {"GB-COH-0123"}
    assert actual.column("contract", "buyer_id") == ["o/1", "o/1"]


def test_a_party_that_has_its_number_later_is_the_same(tmp_path: Path) -> None:
    actual = of(tmp_path, release(buyer={"id": "1", "name": "City"}, tender={"id": "t"}))
    assert actual.column("party", "party_id") == ["o/1"]
    later = release(id="2", date="2026-02-01", parties=[{"id": 1, "identifier": {"scheme": "XX", "id": "9"}}])
    actual.load(written(tmp_path / "later.json", package(later)))
    assert actual.column("party", "party_id", "name") == [("XX-9", "City")]
    assert actual.column("tender", "buyer_code") == ["9"]


def test_what_different_processes_say_of_one_organisation_adds_up_from_load_to_load(tmp_path: Path) -> None:
    firm = {"id": "x", "identifier": {"scheme": "XX", "id": "9"}}
    actual = of(tmp_path, release("1", buyer=firm | {"name": "Firm", "address": {"locality": "Oslo"}}))
    award = {"id": "a", "suppliers": [firm | {"name": "Firm AS"}]}
    actual.load(written(tmp_path / "later.json", package(release("2", date="2026-02-01", awards=[award]))))
    (party,) = actual.rows("party")
    assert (party["name"], party["is_buyer"], party["is_supplier"]) == ("Firm AS", True, True)
    assert actual.column("address", "address") == ["Oslo"]


@pytest.mark.parametrize("number", ["0", "N/A", "nan", "00000000", "-", None])
def test_a_number_that_tells_nothing_makes_no_two_organisations_one(tmp_path: Path, number: str | None) -> None:
    parties = [{"id": "1", "identifier": {"scheme": "XX", "id": number}}]
    actual = of(tmp_path, *(release(ocid, parties=parties, buyer={"id": "1"}) for ocid in ("a", "b")))
    assert actual.column("party", "party_id", "party_biin") == [("a/1", "a/1"), ("b/1", "b/1")]


def test_compiled_releases_without_a_date_hold_in_the_order_in_which_they_are_given(tmp_path: Path) -> None:
    def lots(*ids: str, title: str = "t") -> Json:
        return compiled(tender={"id": "t", "title": title, "lots": [{"id": lot} for lot in ids]})

    first, second = (written(tmp_path / f"{n}.json", value) for n, value in enumerate((lots("1", "2"), lots("1"))))
    actual = loaded(written(tmp_path / "both.jsonl", lots("1", "2", title="old"), lots("1", "3", title="new")))
    assert (actual.column("tender", "name"), actual.column("lot", "number")) == (["new"], ["1", "3"])
    assert actual.sentences[-1] == "2 of them have no date that can be read: the order in which they stand decides."
    actual.load(first)
    assert actual.column("lot", "number") == ["1", "2"]
    actual.load(second)
    assert actual.column("lot", "number") == ["1"]
    assert actual.load(second) == []
    # A publisher takes back what it changed.
    actual.load(first)
    assert actual.column("lot", "number") == ["1", "2"]
    assert "changed_at" not in actual.rows("tender")[0]


@pytest.mark.parametrize("date", [None, "", "n/a", "0001-01-01T00:00:00", "2026-13-45", 20260101])
def test_a_release_whose_date_is_none_is_read(tmp_path: Path, date: Any) -> None:
    actual = of(tmp_path, release(date=date, tender={"id": "t"}))
    assert actual.column("tender", "tender_id", "changed_at") == [("o", None)]


def test_news_after_a_compiled_release_are_merged_onto_it_and_older_ones_are_in_it(tmp_path: Path) -> None:
    whole = compiled(date="2026-02-01", tender={"id": "t", "title": "whole", "status": "active"})
    actual = of(tmp_path, release(date="2026-01-15", tender={"id": "t", "title": "old"}), whole)
    assert actual.column("tender", "name") == ["whole"]
    actual.load(written(tmp_path / "2.json", release(date="2026-03-01", tender={"id": "t", "status": "complete"})))
    assert actual.column("tender", "name", "status_code") == [("whole", "complete")]
    actual.load(written(tmp_path / "3.json", release(date="2026-01-20", tender={"id": "t", "title": "late"})))
    assert actual.column("tender", "name", "status_code") == [("whole", "complete")]


def test_what_a_release_takes_away_is_gone_and_what_it_does_not_name_stays(tmp_path: Path) -> None:
    lots = [{"id": "1", "title": "one"}, {"id": "2"}]
    bids = {"details": [{"id": "b", "relatedLots": ["1", "2"], "tenderers": [{"id": "s"}]}]}
    actual = of(tmp_path, release(tender={"id": "t", "lots": lots}, bids=bids))
    assert len(actual.rows("bid")) == 2
    lots = [{"id": 1, "status": "active"}]
    actual.load(written(tmp_path / "2.json", release(date="2026-01-02", tender={"lots": lots})))
    assert actual.column("lot", "name", "status_code") == [("one", "active"), (None, None)]
    actual.load(written(tmp_path / "3.json", release(date="2026-01-03", tender={"lots": [{"id": 1, "title": None}]})))
    assert actual.column("lot", "name", "status_code") == [(None, "active"), (None, None)]
    bids = {"details": [{"id": "b", "relatedLots": ["2"]}]}
    tender = {"id": "t", "lots": [{"id": 2}]}
    actual.load(written(tmp_path / "4.json", compiled(date="2026-01-04", tender=tender, bids=bids)))
    assert (actual.column("lot", "number"), actual.column("bid", "id", "lot_id")) == (["2"], [("o/b", "o/2")])
    assert actual.column("party", "party_id") == []
    actual.load(written(tmp_path / "5.json", compiled(date="2026-01-05", tender={"id": "t"})))
    assert (actual.rows("lot"), actual.rows("bid"), len(actual.rows("tender"))) == ([], [], 1)


@pytest.mark.parametrize("indent", [None, 1], ids=["lines", "streams"])
def test_lists_records_and_releases_are_read_wherever_they_stand(tmp_path: Path, indent: int | None) -> None:
    def tender(ocid: str) -> Json:
        return release(ocid, tender={"id": "t"})

    linked = {"url": "https://x.example/r", "date": "2026-01-01"}
    values: list[Any] = [
        [tender("a"), None, [tender("b")]],
        {"ocid": "c", "releases": [linked], "compiledRelease": compiled("c", tender={"id": "t"})},
        {"ocid": "d", "releases": [tender("d")]},
        {"records": {"ocid": "e", "compiledRelease": {"tender": {"id": "t"}}}},
        {"releases": tender("f")}, package(tender("g")), {"records": [{"ocid": "h", "releases": [tender("h")]}]},
    ]  # fmt: skip
    path = tmp_path / "many.json"
    path.write_text("\n".join(json.dumps(value, indent=indent) for value in values))
    actual = loaded(path)
    assert actual.column("tender", "tender_id") == list("abcdefgh")
    assert actual.feed is not None
    assert actual.feed.problems == 0


GOOD = [json.dumps(release(ocid, tender={"id": "t", "title": "é"}), ensure_ascii=False).encode() for ocid in "abc"]


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (GOOD[0][:40], "the line ends in the middle of a value. The line is left out."),
        (b"<html>", "found '<html>', which is no JSON there. The line is left out."),
        (GOOD[0].replace(b'"1"', b"NaN"), 'found \'NaN, "date"'),
        ("é".encode("latin-1").join((b'{"ocid": "', b'"}')), "the byte 0xe9 is no UTF-8 there. The line is left out."),
        (b'{"foo": 1}', "is no OCDS: its keys are foo;"),
        (b"7", "has a number where an object was expected"),
        (GOOD[0][:-2] + b' "x": "' + b"y" * 5_000_000, "is no JSON. The line is left out."),
    ],
    ids=["cut", "html", "nan", "latin", "other", "number", "long"],
)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_one_broken_line_is_named_and_the_others_are_loaded(
    tmp_path: Path, bad: bytes, sentence: str, place: int
) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"\n".join([*GOOD[:place], bad, *GOOD[place:]]))
    if place == 0 and (len(bad) > 4 << 20 or b"html" in bad):
        pytest.skip("a file that begins so is a page, or one value that is read as a stream")
    actual = loaded(path)
    assert actual.column("tender", "tender_id", "name") == [("a", "é"), ("b", "é"), ("c", "é")]
    (problem,) = (each for each in actual.sentences if sentence in each)
    assert problem.startswith(f"lines.jsonl, line {place + 1}" if place else "lines.jsonl")


def test_amounts_and_currencies(tmp_path: Path) -> None:
    values: list[Any] = [
        {"amount": 0.30000000000000004, "currency": "EUR"}, {"amount": 179334.001829, "currency": "eur"}, 5, "7.5",
        {"amount": -3, "currency": "RD$"}, {"currency": "XYZ"}, {"amount": None}, {"amount": "1500.1000000"},
    ]  # fmt: skip
    lots = [{"id": str(number), "value": value} for number, value in enumerate(values)]
    actual = of(tmp_path, release(tender={"id": "t", "lots": lots}))
    assert actual.column("lot", "total_amount", "currency_code") == [
        # What only the binary fraction says is not what was meant; what was written is refused whole by the stream.
        ("0.3000", "EUR"), ("179334.001829", "EUR"), ("5", "XXX"), ("7.5", "XXX"), ("-3", "RD$"), (None, "XYZ"),
        (None, "XXX"), ("1500.1000000", "XXX"),
    ]  # fmt: skip
    assert actual.feed is not None
    assert actual.feed.closing() == (
        "Warning: currencies that ISO 4217 does not have were kept as they are: 'RD$' (1), 'XYZ' (1)."
    )


def test_titles_in_languages_only_are_titles(tmp_path: Path) -> None:
    lots = [{"id": "1", "title_es": "Uno"}, {"id": "2", "title": {"en": "Two"}}, {"id": "3", "titles": "x"}]
    actual = of(tmp_path, release(tender={"id": "t", "title": None, "title_fr": "Pont", "lots": lots}))
    assert actual.column("tender", "name") == ["Pont"]
    assert actual.column("lot", "name") == ["Uno", "Two", None]


def test_bidders_that_only_the_tender_names_are_told_by_it(tmp_path: Path) -> None:
    tender = {"id": "t", "numberOfTenderers": 2, "tenderers": {"id": "1", "name": "One"}}
    actual = of(tmp_path, release(tender=tender))
    assert actual.column("tender", "tenderer_ids", "tenderer_count") == [(["o/1"], "2")]
    assert actual.rows("bid") == []


def test_lots_of_an_award_are_those_of_its_items(tmp_path: Path) -> None:
    """As in Moldova and Ukraine, where an item says which lot it belongs to."""
    items = [{"id": "1", "relatedLot": "l2"}, {"id": "2", "relatedLot": "l2"}]
    actual = of(tmp_path, release(
        tender={"id": "t", "lots": [{"id": "l1"}, {"id": "l2"}]}, awards=[{"id": "a", "items": items}, {"id": "b"}],
    ))  # fmt: skip
    assert actual.column("award", "lot_ids") == [["o/l2"], None]
