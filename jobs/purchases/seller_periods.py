"""Sales and baskets by day, week and month, for each seller and for all together."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.core.registry import builds
from jobs.purchases.periods import in_periods, with_all_sellers
from jobs.purchases.sales import (
    lower_median,
    median,
    money,
    rounded_quotient,
    total,
    whole_purchases,
    whole_sum,
    worth_in_base,
)
from schemas.purchases.gold import PERIOD_KINDS, SellerPeriods

COUNTS = ("orders", "sold_lines", "returned_lines", "sold_count", "returned_count")
UNITS = ("sales_units", "returns_units")
LISTS = ("basket_lines", "basket_units")


@builds(SellerPeriods, shared=whole_purchases)
def seller_periods(purchases: DataFrame) -> DataFrame:
    """Purchases are added up by day, and days to periods: there are few of them, so they may be copied.

    The values of all baskets travel along, since no median can be made of medians.
    """
    keys = (SellerPeriods.period_kind, SellerPeriods.period_started_on, SellerPeriods.seller_id)
    days = in_periods(with_all_sellers(seller_days(purchases)), PERIOD_KINDS)
    orders, lines, sold, returned = (F.sum(c) for c in ("orders", "sold_lines", "sales_units", "returns_units"))
    basket_lines, basket_units = (F.flatten(F.collect_list(values)) for values in LISTS)
    some = F.sum("orders") > 0
    return days.groupBy(*keys, SellerPeriods.currency_code).agg(
        orders.alias(SellerPeriods.order_count),
        (lines + F.sum("returned_lines")).alias(SellerPeriods.line_count),
        F.sum("sold_count").alias(SellerPeriods.sold_count),
        F.sum("returned_count").alias(SellerPeriods.returned_count),
        total(sold).alias(SellerPeriods.sales_amount),
        total(returned).alias(SellerPeriods.returns_amount),
        total(sold - returned).alias(SellerPeriods.revenue_amount),
        *worth_in_base(),
        F.when(some, lines / orders).alias(SellerPeriods.mean_lines),
        F.when(some, median(basket_lines)).alias(SellerPeriods.median_lines),
        F.when(some, money(rounded_quotient("sales_units", "orders"))).alias(SellerPeriods.mean_amount),
        F.when(some, money(lower_median(basket_units))).alias(SellerPeriods.median_amount),
        F.when(some, money(F.array_max(basket_units))).alias(SellerPeriods.largest_amount),
    )


def seller_days(purchases: DataFrame) -> DataFrame:
    """One row per seller, day and currency, with the lines and the value of each basket in lists."""
    is_basket = F.col("sold_lines") > 0
    return purchases.groupBy(SellerPeriods.seller_id, "sold_on", SellerPeriods.currency_code).agg(
        F.count_if(is_basket).alias("orders"),
        *(F.sum(c).alias(c) for c in (*COUNTS[1:], "base_high", "base_low", "unconverted_lines")),
        *(whole_sum(c).alias(c) for c in UNITS),
        F.collect_list(F.when(is_basket, F.col("sold_lines"))).alias("basket_lines"),
        F.collect_list(F.when(is_basket, F.col("sales_units"))).alias("basket_units"),
    )
