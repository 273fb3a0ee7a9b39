"""Compares Delta tables with their contracts by the tables' own logs, without Spark.

Spark takes half a second a table to say that nothing differs, and each start checks dozens of tables.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from conf import Settings
from conf.connect import delta_table
from schemas.contract import Contract
from schemas.derive import live_tables
from schemas.derive.differences import delta_properties, differences_delta

if TYPE_CHECKING:
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
    path = settings.table_path(contract.name)
    table = delta_table(settings, path)
    if table is None:
        return False
    fields = json.loads(table.schema().to_json())["fields"]
    properties = table.metadata().configuration
    return not differences_delta(fields, contract, path) and not delta_properties(properties, contract, path)


def configuration(settings: Settings, contract: Contract) -> dict[str, str]:
    """The properties of a table; empty where there is no table."""
    table = delta_table(settings, settings.table_path(contract.name))
    return dict(table.metadata().configuration) if table else {}
