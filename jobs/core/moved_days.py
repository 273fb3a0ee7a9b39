"""Days that lost or gained an event by a correction: a build of one day alone leaves the others out of date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from jobs.core.lake import Lake
from schemas.contract import Contract

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHOWN = 7
PREFIX = "superseded_by_"
"""Of the columns of a list of corrections that tell of the later event."""


def other_days(spark: SparkSession, lake: Lake, sources: Iterable[Contract], day: date) -> list[date]:
    """The other days of events that were moved from or to this one, in order."""
    days: set[date] = set()
    this = f"DATE'{day}'"
    for source in sources:
        corrections = source.superseded_by
        column = _moved_column(corrections) if corrections else ""
        if corrections is None or not column or (version := lake.version(corrections.name)) is None:
            continue
        after = PREFIX + column
        moved = lake.read(spark, corrections.name, version).where(
            f"{column} <> {after} AND {this} IN ({column}, {after})"
        )
        rows = moved.selectExpr(f"if({column} = {this}, {after}, {column}) AS other").distinct().collect()
        days |= {row["other"] for row in rows}
    return sorted(days)


def _moved_column(corrections: Contract) -> str:
    """The column of days that the list has of both events; empty where it has none."""
    days = (c.removeprefix(PREFIX) for c in corrections.columns if c.startswith(PREFIX) and c.type.name == "DAY")
    return next((day for day in days if day in corrections.columns), "")


def advice(day: date, others: list[date]) -> str:
    """What to do about them; empty where there are none."""
    if not others:
        return ""
    named = ", ".join(map(str, others[:SHOWN])) + (f" and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
    return (
        f"! Corrections moved events between {day} and {named}. Build these days too (./start.sh job NAME --day …), "
        "or everything: ./start.sh job nightly"
    )
