"""Customers with their whole history."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.core.registry import builds
from jobs.purchases.sales import sales, whole_purchases
from schemas.purchases.gold import Customers
from schemas.purchases.silver import PurchaseLines


@builds(Customers, shared=whole_purchases)
def customers(purchases: DataFrame) -> DataFrame:
    """The known customers; who bought unnamed is in no row."""
    known = purchases.where(F.col(PurchaseLines.customer_id).isNotNull())
    return known.groupBy(Customers.customer_id, Customers.currency_code).agg(
        *sales(),
        F.count_if(F.col("returned_lines") > 0).alias(Customers.return_count),
        F.min(PurchaseLines.purchased_at).alias(Customers.first_purchased_at),
        F.max(PurchaseLines.purchased_at).alias(Customers.last_purchased_at),
    )
