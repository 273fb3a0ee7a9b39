"""What a publisher takes back is sent as a version that says so, which its table has to accept."""

from __future__ import annotations

import pytest

from ingestion.procurement.ocds.state import KEYS, _removal
from schemas.contract import Contract, tables

FED = [
    (kind.rpartition(".")[2], table)
    for table in tables("silver", "procurement")
    for kind in table.fed_by
    if kind.startswith("ocds.")
]


def test_every_kind_of_row_can_be_taken_back() -> None:
    assert sorted(kind for kind, _ in FED) == sorted(KEYS)


@pytest.mark.parametrize(("kind", "table"), FED, ids=[kind for kind, _ in FED])
def test_a_removal_has_all_that_its_table_requires(kind: str, table: Contract) -> None:
    removal = _removal(kind, "x/1", "owner", "2024-02-01T00:00:00Z").value
    parts = {f"app_lots.{name}" for part in removal.get("app_lots", ()) for name in part}
    given = {*removal, *parts}
    lacking = [
        column.name
        for column in table.columns
        if column.source_fields and not column.optional and not given & set(column.source_fields)
        and not any(field.startswith(("=", "@")) for field in column.source_fields)
    ]  # fmt: skip

    assert lacking == []
