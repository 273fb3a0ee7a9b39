"""Days, weeks and months, one seller and all sellers: what the tables of periods share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from schemas.purchases.gold import EVER, SellerPeriods
from schemas.purchases.silver import PurchaseLines

ALL_SELLERS = ""
"""No seller is called so: the gate of events does not let an empty seller_id in."""
BEGINNING = date(1970, 1, 1)


def with_all_sellers(rows: DataFrame) -> DataFrame:
    """Each row twice: for its seller, and for all sellers together."""
    sellers = F.array(F.col(PurchaseLines.seller_id), F.lit(ALL_SELLERS))
    return rows.withColumn(PurchaseLines.seller_id, F.explode(sellers))


def in_periods(rows: DataFrame, kinds: Sequence[str]) -> DataFrame:
    """Each row once for every period that its day falls into; all time begins on 1970-01-01."""
    day = F.col(PurchaseLines.sold_on)
    # Spark's weeks begin on Monday, as ISO's do.
    starts = {"day": day, "week": F.trunc(day, "week"), "month": F.trunc(day, "month"), EVER: F.lit(BEGINNING)}
    periods = F.array(
        *(
            F.struct(F.lit(kind).alias(SellerPeriods.period_kind), starts[kind].alias(SellerPeriods.period_started_on))
            for kind in kinds
        )
    )
    return rows.select("*", F.inline(periods))
