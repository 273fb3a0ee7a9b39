"""The table of statuses, and files that extend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.core.errors import Unreadable
from ingestion.procurement.ocds.statuses import Statuses
from tests.ingestion.procurement.ocds.samples import AWARD, TENDER, bodies, package, written

CODELISTS = {
    "tender": "planning planned active cancelled unsuccessful complete withdrawn",
    "award": "pending active cancelled unsuccessful",
    "contract": "pending active cancelled terminated",
    "bid": "invited pending valid disqualified withdrawn",
    "milestone": "scheduled met notMet partiallyMet",
}


def table(folder: Path, *rows: str, header: str = "stage,status,status_code") -> Path:
    path = folder / "own.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("stage", CODELISTS)
def test_the_codes_of_ocds_are_known(stage: str) -> None:
    statuses = Statuses()
    for code in CODELISTS[stage].split():
        assert statuses.code(stage, f" {code.upper()} ") == code
    assert not statuses.unknown


def test_an_unknown_status_passes_in_lower_case_and_is_counted() -> None:
    statuses = Statuses()
    assert [statuses.code("bid", "Admitida") for _ in range(2)] == ["admitida"] * 2
    assert statuses.code("bid", None) is None
    assert dict(statuses.unknown) == {("bid", "Admitida"): 2}
    assert statuses.sentence().startswith(
        "2 statuses were unknown and passed as they are, in lower case: bid 'Admitida' (2)."
    )


def test_a_file_adds_and_replaces_rows(tmp_path: Path) -> None:
    own = table(tmp_path, "bid,Qualified,valid", "bid,winner,360", "tender,complete,350", "")
    statuses = Statuses(own)
    assert (statuses.code("bid", "qualified"), statuses.code("tender", "complete")) == ("valid", "350")
    assert statuses.code("tender", "active") == "active"
    output = bodies(written(tmp_path / "p.json", package(TENDER, AWARD)), "bid", own)
    assert [[lot["status_id"] for lot in bid["app_lots"]] for bid in output] == [["360"], ["valid", "valid"]]


def test_an_awards_status_in_other_words_still_makes_a_winner(tmp_path: Path) -> None:
    awards = [AWARD["awards"][0] | {"status": "Adjudicada"}]
    path = written(tmp_path / "p.json", package(TENDER, AWARD | {"awards": awards}))
    assert bodies(path, "bid")[0]["app_lots"][0]["status_id"] == "valid"
    own = table(tmp_path, "award,Adjudicada,active")
    assert bodies(path, "bid", own)[0]["app_lots"][0]["status_id"] == "winner"


@pytest.mark.parametrize(
    ("rows", "header", "sentence"),
    [
        ([], "stage;status;code", "own.csv begin with 'stage;status;code'; stage,status,status_code was expected."),
        (["bid,a,b", "lot,a,b"], "", "line 3: no stage is called 'lot'; there are tender, award, contract, bid"),
        (["bid,a"], "", "line 2: found 'bid,a', expected stage,status,status_code."),
        (["bid,,b"], "", "line 2: found 'bid,,b', expected stage,status,status_code."),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_with_its_line(tmp_path: Path, rows: list[str], header: str, sentence: str) -> None:
    path = table(tmp_path, *rows, header=header or "stage,status,status_code")
    with pytest.raises(Unreadable) as output:
        Statuses(path)
    assert sentence in str(output.value)


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read: No such file or directory"):
        Statuses(tmp_path / "none.csv")
