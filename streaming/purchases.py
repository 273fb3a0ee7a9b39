"""Purchases: one row a line."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from schemas.purchases.silver import PurchaseLines
from streaming.core.registry import cleans


@cleans(PurchaseLines)
def purchases(events: DataFrame) -> DataFrame:
    """An accepted purchase's lines, priced; a line with a negative quantity is a return."""
    quantity = F.col("line.quantity")
    # Whole ten-thousandths: the product of two BIGINTs costs nothing beside that of two decimals.
    units = (F.col("line.unit_price") * 10_000).cast("bigint") * quantity
    return events.withColumn("line_units", units).select(
        "*",
        F.col("e.purchase_id").alias("purchase_id"),
        F.col("e.purchased_at").alias("purchased_at"),
        F.to_date("e.purchased_at").alias("sold_on"),
        F.col("e.seller_id").alias("seller_id"),
        F.col("e.customer_id").alias("customer_id"),
        F.col("e.currency_code").alias("currency_code"),
        F.col("line.product_id").alias("product_id"),
        F.col("line.description").alias("description"),
        quantity.alias("quantity"),
        F.col("line.unit_price").alias("unit_price_amount"),
        (F.col("line_units").cast("decimal(18,0)") / 10_000).cast("decimal(18,4)").alias("line_amount"),
        (quantity < 0).alias("is_return"),
        F.col("e.source").alias("source"),
    )
