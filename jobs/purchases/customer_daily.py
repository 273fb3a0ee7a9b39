"""What customers bought, day by day."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.core.registry import builds
from jobs.purchases.sales import sales, whole_purchases
from schemas.purchases.gold import CustomerDaily


@builds(CustomerDaily, shared=whole_purchases)
def customer_daily(purchases: DataFrame) -> DataFrame:
    """The known customers' days; who bought unnamed is in no row."""
    keys = (CustomerDaily.customer_id, CustomerDaily.seller_id, CustomerDaily.sold_on, CustomerDaily.currency_code)
    return purchases.where(F.col(CustomerDaily.customer_id).isNotNull()).groupBy(*keys).agg(*sales())
