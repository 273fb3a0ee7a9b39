"""What red flags compare is told as it was published, but for persons and what no message takes."""

from __future__ import annotations

from pathlib import Path

from ingestion.procurement.ocds import facts
from tests.ingestion.procurement.ocds.samples import TENDER, Json, bodies, package, written


def process(tmp_path: Path, **release: object) -> Json:
    (body,) = bodies(written(tmp_path / "p.json", package(TENDER | release)), "process")
    return body


def test_how_many_there_are_is_told_also_of_those_without_an_id(tmp_path: Path) -> None:
    bids = [{"tenderers": [{"name": "N"}, {"id": "a"}]}, {"status": "valid"}, {"status": "pending", "tenderers": []}]
    awards = [{"suppliers": [{"id": 5}], "items": [{"classification": {"id": "30"}}, {"classification": {"id": 31}}]}]
    actual = process(tmp_path, bids={"details": bids}, awards=awards)

    assert [bid["tenderers"] for bid in actual["bids"]] == [[None, "a"], None, None]
    assert actual["awards"] == [{"status": None, "suppliers": ["5"], "classifications": ["30", "31"]}]


def test_an_amount_is_a_number_with_every_digit_or_nothing(tmp_path: Path) -> None:
    amounts: list[object] = [10, 10.10, "10", None, True]
    bids = [{"id": f"{n}", "value": {"amount": amount, "currency": "EUR"}} for n, amount in enumerate(amounts)]
    actual = process(tmp_path, bids={"details": bids})

    assert [bid["amount"] for bid in actual["bids"]] == ["10", "10.1", None, None, None]


def test_a_process_of_too_many_bids_says_how_many_there_are(tmp_path: Path) -> None:
    bids = [{"id": f"{n}", "status": "valid"} for n in range(facts.MAX_BIDS + 1)]
    actual = process(tmp_path, bids={"details": bids})

    assert (actual["bid_count"], actual.get("bids")) == (facts.MAX_BIDS + 1, None)
