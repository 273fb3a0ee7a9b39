"""Shared columns: a name has one type and one meaning, over all contracts."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest

import schemas
from schemas.common.columns import PER_TABLE
from schemas.contract import Column, Contract, col, contract, contracts, like, record
from schemas.contract.shared import SharedColumn, shared
from schemas.contract.types import CODE, ID, TEXT


def shared_columns() -> dict[tuple[str, str], SharedColumn]:
    """The shared columns by the domain that declares them (`common` for all) and by their name."""
    modules = [m.name for m in pkgutil.walk_packages(schemas.__path__, "schemas.") if m.name.endswith(".columns")]
    return {
        (name.split(".")[1], constant.lower()): value
        for name in modules
        for constant, value in vars(importlib.import_module(name)).items()
        if isinstance(value, SharedColumn)
    }


def owners() -> Iterator[Contract]:
    for declared in contracts():
        yield declared
        yield from (column.items for column in declared.columns if column.items is not None)


def homonyms(declared: Iterable[Contract], per_table: Iterable[str]) -> list[str]:
    """Names that have two types, or two meanings, of which neither says why it differs."""
    types: dict[str, dict[str, str]] = defaultdict(dict)
    meanings: dict[str, dict[str, str]] = defaultdict(dict)
    for owner in declared:
        for column in owner.columns:
            if not column.differs:
                types[column].setdefault(column.type.name, owner.name)
                if column not in per_table:
                    meanings[column].setdefault(column.meaning, owner.name)
    return [
        f"{name}: {' / '.join(f'{text} ({owner})' for text, owner in texts.items())}"
        for actual in (types, meanings)
        for name, texts in actual.items()
        if len(texts) > 1
    ]


def test_a_name_has_one_type_and_one_meaning() -> None:
    assert homonyms(owners(), PER_TABLE) == [], "use the shared column, or say why it differs: differs=…"


def test_a_second_meaning_and_a_second_type_are_found() -> None:
    @record()
    class One:
        """One."""

        place_id = col(ID, "The place.")
        name = col(TEXT, "Its name.")

    @record()
    class Two:
        """Two."""

        place_id = col(CODE, "The place.")
        name = col(TEXT, "What it is called.")

    @record()
    class Three:
        """Three."""

        place_id = col(CODE, "The seat.", differs="a seat in a train")

    assert homonyms(map(contract, (One, Two, Three)), ()) == [
        "place_id: ID (One) / CODE (Two)", "name: Its name. (One) / What it is called. (Two)",
    ]  # fmt: skip
    assert homonyms(map(contract, (One, Three)), ()) == []


def test_a_shared_column_is_declared_once() -> None:
    actual = shared_columns()
    twice = [name for domain, name in actual if domain != "common" and ("common", name) in actual]

    assert actual
    assert twice == []
    assert set(PER_TABLE).isdisjoint(name for _, name in actual)


def test_every_shared_column_is_used() -> None:
    used = {(column.meaning, str(column)) for owner in owners() for column in owner.columns}

    assert [name for (_, name), declared in shared_columns().items() if (declared.meaning, name) not in used] == []


def test_every_per_table_name_is_used() -> None:
    assert set(PER_TABLE) - {str(column) for owner in owners() for column in owner.columns} == set()


PLACE_ID = shared(ID, "The place.", optional=True)


def column(declared: str) -> Column:
    return contract(record()(type("Made", (), {"__doc__": "One.", "place_id": declared}))).column("place_id")


def test_a_table_adds_a_note_and_its_own_options() -> None:
    plain, noted = column(PLACE_ID()), column(PLACE_ID(optional=False, key=True, note="0 where there is none"))

    assert (plain.type, plain.description, plain.optional) == (ID, "The place.", True)
    assert (noted.description, noted.meaning) == ("The place; 0 where there is none.", "The place.")
    assert (noted.optional, noted.key) == (False, True)
    assert column(like(noted)).description == noted.description
    assert column(like(noted)).meaning == "The place."


def test_another_type_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="a type of its own needs a reason"):
        PLACE_ID(type=CODE)
    assert column(PLACE_ID(type=CODE, differs="few places")).type is CODE
