"""Every product and its prices, with the time in which they held."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.core.registry import builds
from schemas.contract import contract
from schemas.shop import TOPIC
from schemas.shop.silver import ShopChanges, ShopProducts
from schemas.shop.stage import ProductRow

CONTENT = [c.name for c in contract(ShopProducts).columns if c in contract(ProductRow).columns and not c.key]


@builds(ShopProducts)
def products(before: DataFrame, staged: DataFrame, changes: DataFrame) -> DataFrame:
    """The times in which nothing of a product changed, each ended by the next; files and the database's changes alike.

    What a later file says of the same instant corrects an earlier one. A file that comes late, with instants in the
    past, finds its place among the others. A version that repeats the one before it says nothing new; it is left out
    only while it is new itself, so that nothing held is ever lost.
    """
    known = before.drop("valid_to", "is_current").withColumn("is_held", F.lit(True))
    fresh = staged.unionByName(changed(changes)).withColumn("is_held", F.lit(False))
    at_instant = Window.partitionBy(ShopProducts.product_id, ShopProducts.valid_from)
    in_order = Window.partitionBy(ShopProducts.product_id).orderBy(ShopProducts.valid_from)
    versions = (
        known.unionByName(fresh)
        .withColumn("was_held", F.max("is_held").over(at_instant))
        .withColumn("place", F.row_number().over(at_instant.orderBy(F.desc("run_no"), F.desc("is_held"))))
        .where("place = 1")
        # Hashes of a file and of a change differ, where what they say may be the same.
        .withColumn("content", F.struct(*CONTENT))
        .withColumn("last", F.lag(F.struct("content_hash", "content")).over(in_order))
        .where("was_held OR last IS NULL OR NOT (last.content_hash = content_hash OR last.content <=> content)")
    )
    return (
        versions.withColumn("valid_to", F.lead(ShopProducts.valid_from).over(in_order))
        .withColumn("is_current", F.col("valid_to").isNull())
        .drop("is_held", "was_held", "place", "content", "last")
    )


def changed(changes: DataFrame) -> DataFrame:
    """Changes of products in the shop's database, as the stage has those of files. A deleted one is no longer on sale.

    Events from before migration 0003 do not say enough; it tells every product once more.
    """
    of_products = changes.where(
        "entity_code = 'product' AND product_name IS NOT NULL AND price_amount IS NOT NULL "
        "AND seller_id IS NOT NULL AND currency_code IS NOT NULL"
    )
    rows = of_products.select(
        F.lit(0).cast("bigint").alias(ShopProducts.run_no),
        F.col(ShopChanges.entity_id).alias(ShopProducts.product_id),
        F.col(ShopChanges.changed_at).alias(ShopProducts.valid_from),
        ShopChanges.seller_id,
        F.col(ShopChanges.product_name).alias(ShopProducts.name),
        ShopChanges.category_name,
        ShopChanges.price_amount,
        ShopChanges.currency_code,
        F.expr("action_code <> 'deleted' AND coalesce(is_active, true)").alias(ShopProducts.is_active),
        F.lit(TOPIC).alias(ShopProducts.source),
    )
    return rows.withColumn(ShopProducts.content_hash, F.md5(F.to_json(F.struct(*CONTENT))))
