"""What holds today of silver tables that keep every version: the view `<table>_latest` of ClickHouse, in Spark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from schemas.contract import Contract, contract
from schemas.derive.latest_views import summaries

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

COLLECTION = "collection_code"
NEWEST = ("changed_at", "ingested_at", "kafka_offset")
"""Of two versions the newer is the one with the greater values, in this order."""


def latest(rows: DataFrame, table: type, deletions: DataFrame) -> DataFrame:
    """Of each entity the version that changed last; none that is deleted or no longer published.

    `rows` are versions of the silver table `table`, `deletions` are rows of the domain's table of deletions. The rules
    are those of `schemas.derive.latest_views`, and a test holds that both give the same rows.
    """
    declared = contract(table)
    kept = _of_newest_events(rows, declared)
    newest = _newest(kept, (COLLECTION, *declared.business_key), _order(declared))
    if "is_published" in declared.columns:
        newest = newest.where("coalesce(is_published, true)")
    for number, services in _deletable(declared):
        newest = _without_deleted(newest, number, services, deletions)
    return newest


def _newest(rows: DataFrame, entity: Sequence[str], order: Sequence[Column]) -> DataFrame:
    of_entity = Window.partitionBy(*entity).orderBy(*order)
    return rows.withColumn("version_place", F.row_number().over(of_entity)).where("version_place = 1").drop(
        "version_place"
    )  # fmt: skip


def _order(table: Contract) -> list[Column]:
    brief = [F.col("source_code").isin(*kinds)] if (kinds := summaries(table)) else []
    return [*brief, *(F.desc(column) for column in NEWEST), F.col("line_no")]


def _of_newest_events(rows: DataFrame, table: Contract) -> DataFrame:
    """Rows that are sent together, such as an application's bids: only those of the newest event."""
    if not table.rows_of:
        return rows
    owner = Window.partitionBy(COLLECTION, table.rows_of)
    newest = F.max_by("event_id", F.struct(*NEWEST)).over(owner)
    return rows.withColumn("newest_event_id", newest).where("event_id = newest_event_id").drop("newest_event_id")


def _deletable(table: Contract) -> list[tuple[Column, Sequence[str]]]:
    """By what a row may be deleted, itself or what it belongs to: its number, and the journal's words for it."""
    own = [(F.concat_ws("-", *table.business_key), table.services)] if table.services else []
    return [*own, *((F.col(column), words) for column, words in table.deleted_with)]


def _without_deleted(rows: DataFrame, number: Column, services: Sequence[str], deletions: DataFrame) -> DataFrame:
    """Without what was deleted after its last change. The last word holds: a plan may be said to be there again."""
    word = F.regexp_replace(F.lower("service_name"), "[^a-z]", "")
    is_gone = F.coalesce("is_deleted", F.lit(True))
    gone = (
        deletions.where(word.isin(*services))
        .groupBy(F.col(COLLECTION).alias("gone_collection"), "object_id")
        .agg(
            F.max_by(is_gone, F.struct(*NEWEST)).alias("is_gone"),
            F.max(F.when(is_gone, F.col("changed_at"))).alias("deleted_at"),
        )
        .where("is_gone")
    )
    same = (F.col(COLLECTION) == F.col("gone_collection")) & (number == F.col("object_id"))
    same = same & (F.col("deleted_at") >= F.col("changed_at"))
    return rows.join(gone, same, "left_anti")
