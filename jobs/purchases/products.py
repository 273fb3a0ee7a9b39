"""Products with their whole history."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.core.base_currency import base_currency
from jobs.core.registry import builds
from schemas.purchases.gold import ProductDaily, Products
from schemas.purchases.silver import PurchaseLines

SUMS = (
    *(Products.order_count, Products.line_count, Products.sold_count, Products.returned_count),
    *(Products.sales_amount, Products.returns_amount, Products.revenue_amount),
    *(Products.revenue_base_amount, Products.unconverted_line_count),
)


@builds(Products)
def products(days: DataFrame, lines: DataFrame) -> DataFrame:
    """The products' days added up (a purchase has one day, so orders may be added too), with their latest name."""
    added = days.groupBy(Products.seller_id, Products.product_id, Products.currency_code).agg(
        *(F.sum(column).alias(column) for column in SUMS),
        F.lit(base_currency()).alias(Products.base_currency_code),
        F.min(ProductDaily.sold_on).alias(Products.first_sold_on),
        F.max(ProductDaily.sold_on).alias(Products.last_sold_on),
    )
    return added.join(latest_names(lines), [Products.seller_id, Products.product_id], "left")


def latest_names(lines: DataFrame) -> DataFrame:
    """Seller, product and the latest name. Names are grouped first: Spark sorts all rows for a maximum over texts."""
    product = [PurchaseLines.seller_id, PurchaseLines.product_id]
    names = (
        lines.where(F.col(PurchaseLines.description).isNotNull())
        .groupBy(*product, PurchaseLines.description)
        .agg(F.max(PurchaseLines.purchased_at).alias("at"))
    )
    latest = names.groupBy(*product).agg(F.max(F.struct("at", PurchaseLines.description)).alias("latest"))
    return latest.select(*product, F.col(f"latest.{PurchaseLines.description}").alias(Products.description))
