"""Natural persons among the parties: nothing that is joined by tells of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingestion.core.errors import Unreadable
from ingestion.procurement.ocds.persons import Persons
from ingestion.procurement.ocds.source import OcdsFiles
from tests.ingestion.procurement.ocds.samples import NOW, TENDER, Json, package, sent, written

ALIAS = "p78758c64088a5ebbacd1"
"""Of CO-CC-52345678 with the secret "salt"."""
ANA: Json = {
    "id": "CO-CC-52345678", "name": "Ana Ruiz", "identifier": {"scheme": "CO-CC", "id": 52345678},
    "roles": ["tenderer", "supplier"], "contactPoint": {"email": "ana@x.example"},
    "address": {"streetAddress": "Calle 5", "country": "CO"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "number", "is_person"),
    [
        ("CO-CC", "52345678", True),
        ("ru-inn", "500100732259", True),
        ("RU-INN", "7707083893", False),
        ("PE-RUC", "10452345675", True),
        ("PE-RUC", "20131312955", False),
        ("EC-RUC", "1710034065001", True),
        ("EC-RUC", "1760001550001", False),
        ("MX-RFC", "GODE561231GR8", True),
        ("MX-RFC", "ABC680524P76", False),
        ("UA-EDR", "2345678901", True),
        ("UA-EDR", "00032129", False),
        ("KZ-BIN", "870101300123", True),
        ("KZ-BIN", "990430000123", True),
        ("KZ-BIN", "990440000123", False),
        ("GB-COH", "52345678", False),
        (None, "52345678", False),
        ("CO-CC", None, False),
    ],
)
def test_a_number_is_a_persons_by_its_scheme_and_shape(scheme: str | None, number: str | None, is_person: bool) -> None:
    persons = Persons("salt")
    assert persons.has(scheme, number) is is_person
    if scheme and number:
        assert persons.has_id(f"{scheme}-{number}") is is_person


def test_a_person_goes_by_an_alias_wherever_it_is_referred_to(tmp_path: Path) -> None:
    bids = {"details": [{"id": "b", "tenderers": [{"id": ANA["id"]}], "value": {"amount": 5}}]}
    award = {"id": "w", "status": "active", "suppliers": [{"id": ANA["id"], "name": "Ana Ruiz"}]}
    paid = {"id": "t", "payee": {"id": ANA["id"]}, "value": {"amount": 5}}
    contract = {"id": "c", "awardID": "w", "implementation": {"transactions": [paid]}}
    release = TENDER | {"parties": [*TENDER["parties"], ANA], "bids": bids, "awards": [award], "contracts": [contract]}
    messages = sent(written(tmp_path / "p.json", package(release)))
    output = {dict(m.headers)["ce_type"].decode(): json.loads(m.value or b"") for m in messages}

    party = output["ocds.party"]
    assert (party["party_id"], party["party_biin"], party["party_number"]) == (ALIAS, ALIAS, "52345678")
    assert output["ocds.address"]["party_id"] == output["ocds.address"]["address_id"] == ALIAS
    for kind, names in (("bid", "supplier_id supplier_biin"), ("contract", "supplier_id supplier_biin"),
                        ("transaction", "supplier_biin")):  # fmt: skip
        assert {output[f"ocds.{kind}"][name] for name in names.split()} == {ALIAS}, kind
    # The lake alone, under its access control, has the number and the name.
    assert [m.event_id for m in messages if b"52345678" in (m.value or b"")] == [
        m.event_id for m in messages if m.event_id.startswith(f"x:ocds.party:{ALIAS}")
    ]
    assert not [m for m in messages if b"52345678" in m.key or "52345678" in m.event_id]


def test_several_that_act_together_are_named_without_the_person(tmp_path: Path) -> None:
    firm = {"id": "XX-2", "name": "Winner Ltd"}
    award = {"id": "w", "status": "active", "suppliers": [firm, {"id": ANA["id"]}]}
    release = TENDER | {"awards": [award], "contracts": [{"id": "c", "awardID": "w"}]}
    messages = sent(written(tmp_path / "p.json", package(release)))
    (contract,) = (json.loads(m.value or b"") for m in messages if b"ocds.contract" in dict(m.headers)["ce_type"])
    assert contract["supplier_id"] == f"ocds-x-1/XX-2+{ALIAS}"


def test_a_file_adds_schemes(tmp_path: Path) -> None:
    own = tmp_path / "persons.csv"
    own.write_text("scheme,number\nXX,9.*\n", encoding="utf-8")
    persons = Persons("salt", own)
    assert [persons.has("XX", number) for number in ("91", "19")] == [True, False]
    assert persons.has("CO-CC", "1")

    def party_ids(persons: Persons) -> list[Any]:
        opened = OcdsFiles(written(tmp_path / "p.json", package(TENDER)), "x", lambda _: None, NOW, persons)
        values = (json.loads(m.value or b"") for m in opened.messages() if "ocds.party" in m.event_id)
        return [value["party_id"] for value in values]

    assert party_ids(persons) == ["XX-1"]
    own.write_text("scheme,number\nXX,1\n", encoding="utf-8")
    assert party_ids(Persons("salt", own)) == [Persons("salt").alias("XX-1")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("scheme,numbers\n", "The persons own.csv begin with 'scheme,numbers'; scheme,number was expected."),
        ("scheme,number\n\nXX\n", "The persons own.csv, line 3: found 'XX', expected scheme,number."),
        ("scheme,number\nXX,(\n", "The persons own.csv, line 2: '(' is no regular expression: "),
    ],
)
def test_a_wrong_file_is_refused_by_line(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable) as refused:
        Persons("salt", tmp_path / "own.csv")
    assert str(refused.value).startswith(sentence)
