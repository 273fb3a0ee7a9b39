"""Delta logs on disk, written as the protocol says, for tests of what reads them without Spark."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROTOCOL = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}


def metadata(schema: Mapping[str, Any], configuration: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The action that gives a table its schema (as Spark writes it in JSON) and its properties."""
    return {
        "metaData": {
            "id": "00000000-0000-4000-8000-000000000000", "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps(schema), "partitionColumns": [], "configuration": dict(configuration or {}),
            "createdTime": 0,
        }
    }  # fmt: skip


def add(path: str) -> dict[str, Any]:
    """The action that adds a file; the file itself need not exist where only the log is read."""
    return {"add": {"path": path, "partitionValues": {}, "size": 1, "modificationTime": 0, "dataChange": True}}


def write_commit(table: Path, version: int, *actions: Mapping[str, Any]) -> None:
    """Write one commit; version 0 gets the protocol by itself."""
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    every = (PROTOCOL, *actions) if version == 0 else actions
    (log / f"{version:020}.json").write_text("\n".join(json.dumps(action) for action in every))
