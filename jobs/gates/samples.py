"""A sample of silver is judged too: a bounded share of its events, the same ones every night. It can only warn.

Each row of silver was judged when it arrived; the sample shows when a rule, a type or the cleaning has gone wrong, and
when nothing arrives any more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pyspark import StorageLevel

from jobs.core.errors import sentence
from jobs.core.lake import Lake
from jobs.gates.gates import GateResult, validate_rows
from schemas.contract import Contract
from schemas.derive.expectations import ARRIVED, STILL_ARRIVES
from schemas.derive.spark import ident

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Samples:
    """At most about `most` rows of a table. `on_result` gets each result.

    `since` is the day after which a row should have arrived; None where that is not asked.
    """

    spark: SparkSession
    lake: Lake
    most: int
    on_result: Callable[[Contract, GateResult], None]
    since: date | None = None

    def validate(self, tables: Iterable[Contract]) -> None:
        """Judge each table that there is. What keeps one from being judged is said, and fails nothing."""
        for table in tables:
            try:
                self._one(table)
            except Exception as error:
                print(f"The sample of {table.name} could not be judged: {sentence(error)}", file=sys.stderr)

    def _one(self, table: Contract) -> None:
        version = self.lake.version(table.name)
        if version is None:
            return
        self.spark.sparkContext.setJobDescription(f"sample of {table.name}")
        rows = sampled(self.lake.read(self.spark, table.name, version), table, self.most)
        rows = rows.select(*table.columns).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            # Silver may hold what nobody is to see; a key tells the row, and no more.
            known = {STILL_ARRIVES: self.since.isoformat()} if self.since else {}
            self.on_result(table, validate_rows(rows, table, known, warn_only=True, shown=table.key))
        finally:
            rows.unpersist()


def sampled(rows: DataFrame, table: Contract, most: int) -> DataFrame:
    """About `most` rows at most, chosen by the hash of their event: all rows of an event come along, or none.

    Of events that arrive the newest comes along in any case, so that the sample tells when that was.
    """
    parts = -(-rows.count() // most)
    if parts < 2:
        return rows
    value = ident("event_hash") if "event_hash" in table.columns else f"xxhash64({ident(table.key[0])})"
    chosen = f"pmod({value}, {parts}) = 0"
    if ARRIVED in table.columns:
        # Of events that arrived at once the one of the greatest hash: the sample is the same each time.
        ((newest,),) = rows.selectExpr(f"max(struct({ident(ARRIVED)}, {value} AS value)).value").collect()
        chosen += f" OR {value} = {newest}L" if newest is not None else ""
    return rows.where(chosen)
