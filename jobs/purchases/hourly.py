"""Sales by hour."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.core.registry import builds
from jobs.purchases.sales import sales, whole_purchases
from schemas.purchases.gold import Hourly
from schemas.purchases.silver import PurchaseLines


@builds(Hourly, shared=whole_purchases)
def hourly(purchases: DataFrame) -> DataFrame:
    """The seller's hours, UTC."""
    hour = F.date_trunc("hour", F.col(PurchaseLines.purchased_at)).alias(Hourly.hour_at)
    return purchases.groupBy(Hourly.seller_id, hour, Hourly.sold_on, Hourly.currency_code).agg(*sales())
