"""What a Delta table's log says of it, without Spark."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conf import settings
from schemas.contract import Contract, find
from schemas.derive import delta
from schemas.derive.spark import schema_json
from streaming.core import schema_check

TABLE = find("silver.purchase_lines")
LOG = "warehouse/silver/purchase_lines/_delta_log/"


@dataclass
class Answer:
    body: bytes

    def read(self) -> bytes:
        return self.body

    def close(self) -> None: ...

    def release_conn(self) -> None: ...


@dataclass
class Bucket:
    """As much of MinIO's client as is asked; it remembers what was read."""

    files: dict[str, bytes]

    def __post_init__(self) -> None:
        self.read: list[str] = []

    def list_objects(self, _: str, prefix: str) -> list[Any]:
        return [type("Object", (), {"object_name": name}) for name in self.files if name.startswith(prefix)]

    def get_object(self, _: str, name: str) -> Answer:
        self.read.append(name.removeprefix(LOG))
        return Answer(self.files[name])


def metadata(table: Contract, **properties: str) -> dict[str, Any]:
    schema = schema_json(table)
    for field in schema["fields"]:
        field["metadata"] = {"comment": table.column(field["name"]).description}
    return {"schemaString": json.dumps(schema), "configuration": delta.properties(table) | properties}


def commit(number: int, *actions: dict[str, Any]) -> tuple[str, bytes]:
    return f"{LOG}{number:020}.json", "\n".join(json.dumps(action) for action in actions).encode()


def checkpoint(number: int, found: dict[str, Any]) -> tuple[str, bytes]:
    kind = pa.struct([("schemaString", pa.string()), ("configuration", pa.map_(pa.string(), pa.string()))])
    row = found | {"configuration": list(found["configuration"].items())}
    body = io.BytesIO()
    pq.write_table(pa.table({"metaData": pa.array([None, row], kind), "add": [1, 2]}), body)
    return f"{LOG}{number:020}.checkpoint.parquet", body.getvalue()


def judged(monkeypatch: pytest.MonkeyPatch, *files: tuple[str, bytes]) -> tuple[bool, list[str]]:
    bucket = Bucket(dict(files))
    monkeypatch.setattr(schema_check, "s3", lambda _: bucket)
    return schema_check.matches_contract(settings(), TABLE), bucket.read


ADD = {"add": {"path": "x"}}


def test_a_table_that_matches_contract_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    is_so, _ = judged(monkeypatch, commit(0, {"metaData": metadata(TABLE)}), commit(1, ADD))
    assert is_so


def test_the_newest_words_count(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = metadata(TABLE) | {"schemaString": json.dumps({"type": "struct", "fields": []})}

    assert not judged(monkeypatch, commit(0, {"metaData": metadata(TABLE)}), commit(1, {"metaData": lacking}))[0]
    assert judged(monkeypatch, commit(0, {"metaData": lacking}), commit(1, {"metaData": metadata(TABLE)}))[0]


def test_a_checkpoint_speaks_for_what_lies_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = commit(3, {"metaData": {"schemaString": "{}"}})
    is_so, read = judged(monkeypatch, before, checkpoint(20, metadata(TABLE)), commit(20, ADD), commit(21, ADD))

    assert is_so
    assert before[0].removeprefix(LOG) not in read


def test_another_property_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(iter(delta.properties(TABLE)))
    assert not judged(monkeypatch, commit(0, {"metaData": metadata(TABLE, **{name: "other"})}))[0]


def test_where_there_is_no_table_spark_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(monkeypatch) == (False, [])
