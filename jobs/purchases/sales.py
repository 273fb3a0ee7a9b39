"""What the purchases tables share: exact money, the step from lines to purchases, the measures of sales."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.core.base_currency import amount, base_currency, in_base
from schemas.contract.types import MONEY, MONEY_SCALE, SUM
from schemas.purchases.gold import SellerDaily
from schemas.purchases.silver import PurchaseLines

HALF_BITS = 30


def money(units: Column) -> Column:
    """An amount from whole ten-thousandths, to the last digit; Spark raises an error where it has no room for it."""
    return (units.cast("decimal(19,0)") * F.lit(Decimal(1).scaleb(-MONEY_SCALE))).cast(MONEY.spark)


def total(units: Column) -> Column:
    """The amount of a sum that `whole_sum` made."""
    return (units.cast("decimal(34,0)") * F.lit(Decimal(1).scaleb(-MONEY_SCALE))).cast(SUM.spark)


def whole_sum(units: str) -> Column:
    """The sum of a BIGINT column, which a BIGINT need not hold: of a thousand million purchases of any worth.

    The upper and the lower half are added up apart: sums of decimals take Spark off its fast path.
    """
    return F.expr(_whole_sum(units))


def _whole_sum(units: str) -> str:
    return (
        f"(CAST(sum(shiftright({units}, {HALF_BITS})) AS DECIMAL(38,0)) * {1 << HALF_BITS}"
        f" + sum({units} & {(1 << HALF_BITS) - 1}))"
    )


def rounded_mean(units: str) -> Column:
    """The mean of a column of whole ten-thousandths, half up; not for negative sums."""
    return F.expr(f"(2 * {_whole_sum(units)} + count(*)) DIV (2 * count(*))")


def rounded_quotient(units: str, count: str) -> Column:
    """The mean of whole ten-thousandths that `whole_sum` has added up already, half up; not for negative sums."""
    return F.expr(f"(2 * sum({units}) + sum({count})) DIV (2 * sum({count}))")


def lower_median(values: Column) -> Column:
    """The middle value, of an even number the lower of the two in the middle."""
    return F.element_at(F.sort_array(values), F.floor((F.size(values) + 1) / 2).cast("int"))


def median(values: Column) -> Column:
    """The middle value, of an even number the mean of the two in the middle."""
    ordered, size = F.sort_array(values), F.size(values)
    low, high = F.floor((size + 1) / 2).cast("int"), F.floor(size / 2).cast("int") + 1
    return (F.element_at(ordered, low) + F.element_at(ordered, high)) / 2


def per_purchase(lines: DataFrame, rates: DataFrame, *also: str) -> DataFrame:
    """One row per purchase, or per purchase and product: what was sold and returned, in whole numbers.

    An event is a purchase, and it is told by the hash of its id: two events would be taken for one only where their
    64 bits agree and their seller, customer and microsecond too.
    """
    sold, returned = ~F.col(PurchaseLines.is_return), F.col(PurchaseLines.is_return)
    worth = in_base(
        lines, rates, units=PurchaseLines.line_units, currency=PurchaseLines.currency_code, day=PurchaseLines.sold_on
    )
    return worth.groupBy(
        PurchaseLines.event_hash, PurchaseLines.seller_id, PurchaseLines.sold_on, PurchaseLines.currency_code, *also
    ).agg(
        F.count_if(sold).alias("sold_lines"),
        F.count_if(returned).alias("returned_lines"),
        F.sum(F.when(sold, F.col(PurchaseLines.quantity)).otherwise(0)).alias("sold_count"),
        F.sum(F.when(returned, -F.col(PurchaseLines.quantity)).otherwise(0)).alias("returned_count"),
        F.sum(F.when(sold, F.col(PurchaseLines.line_units)).otherwise(0)).alias("sales_units"),
        F.sum(F.when(returned, -F.col(PurchaseLines.line_units)).otherwise(0)).alias("returns_units"),
        F.sum("base_high").alias("base_high"),
        F.sum("base_low").alias("base_low"),
        F.count_if(F.col("base_high").isNull()).alias("unconverted_lines"),
    )


def whole_purchases(lines: DataFrame, rates: DataFrame) -> DataFrame:
    """One row per purchase, with its customer and its time. Shared by the tables that count purchases."""
    return per_purchase(lines, rates, PurchaseLines.customer_id, PurchaseLines.purchased_at)


def sales() -> list[Column]:
    """The measures that all sales tables have, from rows that `per_purchase` made."""
    sold, returned = whole_sum("sales_units"), whole_sum("returns_units")
    return [
        F.count_if(F.col("sold_lines") > 0).alias(SellerDaily.order_count),
        F.sum(F.col("sold_lines") + F.col("returned_lines")).alias(SellerDaily.line_count),
        F.sum("sold_count").alias(SellerDaily.sold_count),
        F.sum("returned_count").alias(SellerDaily.returned_count),
        total(sold).alias(SellerDaily.sales_amount),
        total(returned).alias(SellerDaily.returns_amount),
        total(sold - returned).alias(SellerDaily.revenue_amount),
        *worth_in_base(),
    ]


def worth_in_base() -> list[Column]:
    """What all sales tables have of the base currency, from rows that `per_purchase` made."""
    return [
        F.lit(base_currency()).alias(SellerDaily.base_currency_code),
        amount(F.sum("base_high"), F.sum("base_low")).alias(SellerDaily.revenue_base_amount),
        F.sum("unconverted_lines").alias(SellerDaily.unconverted_line_count),
    ]
