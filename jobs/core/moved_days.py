"""Days that lost or gained a purchase by a correction: who builds one of them by itself must build the others too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from jobs.core.lake import Lake
from schemas.contract import Contract

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHOWN = 7


def other_days(spark: SparkSession, lake: Lake, sources: Iterable[Contract], day: date) -> list[date]:
    """The other days of events that were moved from or to this one, in order."""
    found: set[date] = set()
    for corrections in (source.superseded_by for source in sources):
        if corrections is None or (version := lake.version(corrections.name)) is None:
            continue
        this = f"DATE'{day}'"
        moved = lake.read(spark, corrections.name, version).where(
            f"sold_on <> superseded_by_sold_on AND {this} IN (sold_on, superseded_by_sold_on)"
        )
        rows = moved.selectExpr(f"if(sold_on = {this}, superseded_by_sold_on, sold_on) AS other").distinct().collect()
        found |= {row["other"] for row in rows}
    return sorted(found)


def advice(day: date, others: list[date]) -> str:
    """What to do about them; empty where there are none."""
    if not others:
        return ""
    named = ", ".join(map(str, others[:SHOWN])) + (f" and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
    return (
        f"! Corrections moved purchases between {day} and {named}. Build these days too (./start.sh job NAME --day …), "
        "or everything: ./start.sh job nightly"
    )
