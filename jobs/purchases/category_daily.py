"""Sales by category of goods and day."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.core.registry import builds
from jobs.purchases.sales import per_purchase, sales
from schemas.purchases.gold import UNKNOWN_CATEGORY, CategoryDaily
from schemas.purchases.silver import PurchaseLines
from schemas.shop.silver import ShopProducts


@builds(CategoryDaily)
def category_daily(lines: DataFrame, products: DataFrame, rates: DataFrame) -> DataFrame:
    """The category's days. A purchase may have several lines of one category and counts once all the same."""
    keys = (CategoryDaily.category_name, CategoryDaily.seller_id, CategoryDaily.sold_on, CategoryDaily.currency_code)
    categorised_lines = categorised(lines, products)
    return per_purchase(categorised_lines, rates, CategoryDaily.category_name).groupBy(*keys).agg(*sales())


def categorised(lines: DataFrame, products: DataFrame) -> DataFrame:
    """The lines with the category that their product had at the end of the day; no line is lost, and none comes twice.

    Versions do not overlap, and one that was replaced on the day on which it began holds at the end of no day.
    """
    versions = products.select(
        F.col(ShopProducts.product_id).alias("of_product_id"),
        F.col(ShopProducts.category_name),
        F.to_date(ShopProducts.valid_from).alias("from_on"),
        F.to_date(ShopProducts.valid_to).alias("before_on"),
    )
    day = F.col(PurchaseLines.sold_on)
    held = (
        (F.col("of_product_id") == F.col(PurchaseLines.product_id))
        & (day >= F.col("from_on"))
        & (F.col("before_on").isNull() | (day < F.col("before_on")))
    )
    category = F.coalesce(ShopProducts.category_name, F.lit(UNKNOWN_CATEGORY))
    return lines.join(versions, held, "left").withColumn(CategoryDaily.category_name, category)
