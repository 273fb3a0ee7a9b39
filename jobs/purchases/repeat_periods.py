"""How many customers ordered, and how many came again."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.core.registry import builds
from jobs.purchases.periods import in_periods, with_all_sellers
from schemas.purchases.gold import EVER, PERIOD_KINDS, CustomerDaily, RepeatPeriods, SellerDaily

KEYS = (RepeatPeriods.period_kind, RepeatPeriods.period_started_on, RepeatPeriods.seller_id)
KINDS = (*PERIOD_KINDS, EVER)


@builds(RepeatPeriods)
def repeat_periods(customers: DataFrame, sellers: DataFrame) -> DataFrame:
    """Customers of a period are counted by their orders in it, never by adding up those of its days.

    The days of a customer are brought together once, so that all that is counted by customer needs no other shuffle.
    """
    orders = (
        customers.where(F.col(CustomerDaily.order_count) > 0)
        .select(CustomerDaily.customer_id, CustomerDaily.seller_id, CustomerDaily.sold_on, CustomerDaily.order_count)
        .repartition(CustomerDaily.customer_id)
    )
    days = with_all_sellers(orders)
    newest = sellers.agg(F.max(SellerDaily.sold_on).alias(RepeatPeriods.as_of_on))
    periods = active(days).join(newcomers(days), [*KEYS], "left").crossJoin(F.broadcast(newest))
    known, new = F.col(RepeatPeriods.known_order_count), F.coalesce(RepeatPeriods.new_customer_count, F.lit(0))
    counted = periods.withColumns(
        {RepeatPeriods.new_customer_count: new, RepeatPeriods.returning_order_count: known - new}
    )
    start = F.when(F.col(RepeatPeriods.period_kind) == EVER, F.col("first_on")).otherwise(
        F.col(RepeatPeriods.period_started_on)
    )
    return counted.withColumns(
        {
            RepeatPeriods.period_started_on: start,
            RepeatPeriods.repeat_rate_pct: percent(
                RepeatPeriods.repeat_customer_count, RepeatPeriods.active_customer_count
            ),
            RepeatPeriods.returning_order_pct: percent(
                RepeatPeriods.returning_order_count, RepeatPeriods.known_order_count
            ),
        }
    ).drop("first_on")


def active(days: DataFrame) -> DataFrame:
    """The periods with their customers and orders, grouped in two steps: by customer first."""
    customers = (
        in_periods(days, KINDS)
        .groupBy(*KEYS, CustomerDaily.customer_id)
        .agg(F.sum(CustomerDaily.order_count).alias("orders"), F.min(CustomerDaily.sold_on).alias("first_on"))
    )
    return customers.groupBy(*KEYS).agg(
        F.count("*").alias(RepeatPeriods.active_customer_count),
        F.count_if(F.col("orders") >= 2).alias(RepeatPeriods.repeat_customer_count),
        F.sum("orders").alias(RepeatPeriods.known_order_count),
        F.min("first_on").alias("first_on"),
    )


def newcomers(days: DataFrame) -> DataFrame:
    """The periods in which customers ordered for the first time, with their number."""
    first = days.groupBy(CustomerDaily.seller_id, CustomerDaily.customer_id).agg(
        F.min(CustomerDaily.sold_on).alias(CustomerDaily.sold_on)
    )
    return in_periods(first, KINDS).groupBy(*KEYS).agg(F.count("*").alias(RepeatPeriods.new_customer_count))


def percent(part: str, whole: str) -> Column:
    """A share in percent."""
    return 100 * F.col(part) / F.col(whole)
