"""Sales by seller and day."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.core.registry import builds
from jobs.purchases.sales import sales, whole_purchases
from schemas.purchases.gold import SellerDaily
from schemas.purchases.silver import PurchaseLines


@builds(SellerDaily, shared=whole_purchases)
def seller_daily(purchases: DataFrame) -> DataFrame:
    """The seller's days; the one distinct count makes Spark group in two steps, a second would triple the rows."""
    return purchases.groupBy(SellerDaily.seller_id, SellerDaily.sold_on, SellerDaily.currency_code).agg(
        *sales(), F.count_distinct(PurchaseLines.customer_id).alias(SellerDaily.customer_count)
    )
