"""Compares Delta tables with their contracts by the tables' own logs, without Spark.

Spark takes half a second a table to say that nothing differs, and each start checks dozens of tables.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from conf import Settings
from conf.connect import s3
from schemas.contract import Contract
from schemas.derive import live_tables
from schemas.derive.differences import delta_properties, differences_delta

if TYPE_CHECKING:
    from minio import Minio
    from pyspark.sql import SparkSession

log = logging.getLogger("sauda.stream")


def prepare_tables(spark: SparkSession, settings: Settings, tables: Sequence[Contract]) -> None:
    """Create and complete the Delta tables. Only for their one writer. Raises ContractMismatch."""
    with ThreadPoolExecutor(8) as pool:
        matches = pool.map(lambda t: matches_contract(settings, t), tables)
        changed = [table for table, is_match in zip(tables, matches, strict=True) if not is_match]
        for done in pool.map(lambda t: live_tables.apply_delta(spark, t, settings.table_path(t.name)), changed):
            for change in done:
                log.info(change)


def matches_contract(settings: Settings, contract: Contract) -> bool:
    """Whether the table exists and needs no change."""
    metadata = _metadata(s3(settings), settings, contract)
    if metadata is None:
        return False
    path = settings.table_path(contract.name)
    fields = json.loads(metadata["schemaString"])["fields"]
    properties = dict(metadata.get("configuration") or {})
    return not differences_delta(fields, contract, path) and not delta_properties(properties, contract, path)


def configuration(settings: Settings, contract: Contract) -> dict[str, str]:
    """The properties of a table; empty where there is no table."""
    return dict((_metadata(s3(settings), settings, contract) or {}).get("configuration") or {})


def _metadata(client: Minio, settings: Settings, contract: Contract) -> dict[str, Any] | None:
    """The newest `metaData` of the table's log; None where it has none."""
    log = settings.table_path(contract.name).removeprefix(f"s3a://{settings.bucket}/") + "/_delta_log/"
    names = [str(o.object_name) for o in client.list_objects(settings.bucket, prefix=log)]
    checkpoints = sorted(n for n in names if n.endswith(".checkpoint.parquet"))
    last = checkpoints[-1] if checkpoints else ""
    commits = [n for n in names if n.endswith(".json") and n[len(log) : -5].isdigit()]
    for name in sorted((n for n in commits if n > last[: len(n) - 5]), reverse=True):
        for line in _bytes(client, settings.bucket, name).splitlines():
            if b'"metaData"' in line:
                return dict(json.loads(line)["metaData"])
    return _of_checkpoint(_bytes(client, settings.bucket, last)) if last else None


def _of_checkpoint(body: bytes) -> dict[str, Any] | None:
    import pyarrow.parquet as pq

    rows = pq.read_table(io.BytesIO(body), columns=["metaData"])["metaData"].drop_null().to_pylist()
    return rows[0] if rows else None


def _bytes(client: Minio, bucket: str, name: str) -> bytes:
    answer = client.get_object(bucket, name)
    try:
        return bytes(answer.read())
    finally:
        answer.close()
        answer.release_conn()
