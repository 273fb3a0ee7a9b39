"""How large baskets are."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.core.registry import builds
from jobs.purchases.sales import lower_median, money, rounded_mean, total, whole_purchases, whole_sum
from schemas.purchases.gold import BasketDaily


@builds(BasketDaily, shared=whole_purchases)
def basket_daily(purchases: DataFrame) -> DataFrame:
    """The seller's days; a purchase with nothing but returns is no basket."""
    count, units, lines = F.count("*"), whole_sum("sales_units"), F.sum("sold_lines")
    baskets = purchases.where(F.col("sold_lines") > 0)
    return baskets.groupBy(BasketDaily.seller_id, BasketDaily.sold_on, BasketDaily.currency_code).agg(
        count.alias(BasketDaily.basket_count),
        lines.alias(BasketDaily.line_count),
        F.sum("sold_count").alias(BasketDaily.sold_count),
        total(units).alias(BasketDaily.sales_amount),
        (lines / count).alias(BasketDaily.mean_lines),
        F.percentile("sold_lines", 0.5).alias(BasketDaily.median_lines),
        money(rounded_mean("sales_units")).alias(BasketDaily.mean_amount),
        money(lower_median(F.collect_list("sales_units"))).alias(BasketDaily.median_amount),
        money(F.max("sales_units")).alias(BasketDaily.largest_amount),
    )
