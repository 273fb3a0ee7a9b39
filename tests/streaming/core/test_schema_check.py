"""A Delta table is compared with its contract by its log, without Spark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from conf import Settings, settings
from schemas.contract import find
from schemas.derive import delta
from schemas.derive.spark import schema_json
from streaming.core import schema_check
from tests.support.delta_log import add, metadata, write_commit

TABLE = find("silver.purchase_lines")
OTHER: dict[str, Any] = {
    "type": "struct", "fields": [{"name": "n", "type": "long", "nullable": True, "metadata": {}}],
}  # fmt: skip


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the settings say that the table lies."""
    monkeypatch.setattr(Settings, "table_path", lambda _settings, name: str(tmp_path / name))
    return tmp_path / TABLE.name


def of_contract(**properties: str) -> dict[str, Any]:
    schema = schema_json(TABLE)
    for field in schema["fields"]:
        field["metadata"] = {"comment": TABLE.column(field["name"]).description}
    return metadata(schema, delta.properties(TABLE) | properties)


def matches() -> bool:
    return schema_check.matches_contract(settings(), TABLE)


def test_a_table_of_its_contract_needs_nothing(table: Path) -> None:
    write_commit(table, 0, of_contract())
    write_commit(table, 1, add("x.parquet"))

    assert matches()
    assert schema_check.configuration(settings(), TABLE) == delta.properties(TABLE)


@pytest.mark.parametrize("is_last", [True, False])
def test_the_newest_schema_counts(table: Path, is_last: bool) -> None:
    schemas = [metadata(OTHER), of_contract()] if is_last else [of_contract(), metadata(OTHER)]
    for version, schema in enumerate(schemas):
        write_commit(table, version, schema)

    assert matches() is is_last


def test_a_checkpoint_stands_for_the_commits_before_it(table: Path) -> None:
    write_commit(table, 0, of_contract())
    write_commit(table, 1, add("x.parquet"))
    DeltaTable(table).create_checkpoint()
    (table / "_delta_log" / f"{0:020}.json").unlink()
    write_commit(table, 2, add("y.parquet"))

    assert matches()


def test_another_column_type_is_a_difference(table: Path) -> None:
    commit = of_contract()
    schema = json.loads(commit["metaData"]["schemaString"])
    next(f for f in schema["fields"] if f["name"] == "quantity")["type"] = "string"
    write_commit(table, 0, metadata(schema, delta.properties(TABLE)))

    assert not matches()


def test_another_property_is_a_difference(table: Path) -> None:
    write_commit(table, 0, of_contract(**{next(iter(delta.properties(TABLE))): "other"}))

    assert not matches()


@pytest.mark.usefixtures("table")
def test_spark_creates_a_table_that_does_not_exist() -> None:
    assert not matches()
    assert schema_check.configuration(settings(), TABLE) == {}
