"""Every product and its prices, with the time in which they held."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.registry import builds
from schemas.shop.silver import ShopProducts


@builds(ShopProducts)
def products(before: DataFrame, staged: DataFrame) -> DataFrame:
    """The times in which nothing of a product changed, each ended by the next.

    What a later file says of the same instant corrects an earlier one. A file that comes late, with instants in the
    past, finds its place among the others. A version that repeats the one before it says nothing new; it is left out
    only while it is new itself, so that nothing held is ever lost.
    """
    known = before.drop("valid_to", "is_current").withColumn("is_held", F.lit(True))
    every = known.unionByName(staged.withColumn("is_held", F.lit(False)))
    at_instant = Window.partitionBy(ShopProducts.product_id, ShopProducts.valid_from)
    in_order = Window.partitionBy(ShopProducts.product_id).orderBy(ShopProducts.valid_from)
    changes = (
        every.withColumn("was_held", F.max("is_held").over(at_instant))
        .withColumn("place", F.row_number().over(at_instant.orderBy(F.desc("run_no"), F.desc("is_held"))))
        .where("place = 1")
        .withColumn("last", F.lag(ShopProducts.content_hash).over(in_order))
        .where("was_held OR last IS NULL OR last <> content_hash")
    )
    return (
        changes.withColumn("valid_to", F.lead(ShopProducts.valid_from).over(in_order))
        .withColumn("is_current", F.col("valid_to").isNull())
        .drop("is_held", "was_held", "place", "last")
    )
