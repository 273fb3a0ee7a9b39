"""Sales by product and day."""

from __future__ import annotations

from pyspark.sql import DataFrame

from jobs.core.registry import builds
from jobs.purchases.sales import per_purchase, sales
from schemas.purchases.gold import ProductDaily


@builds(ProductDaily)
def product_daily(lines: DataFrame, rates: DataFrame) -> DataFrame:
    """The product's days. A purchase may have several lines of one product and counts once all the same."""
    keys = (ProductDaily.seller_id, ProductDaily.product_id, ProductDaily.sold_on, ProductDaily.currency_code)
    return per_purchase(lines, rates, ProductDaily.product_id).groupBy(*keys).agg(*sales())
