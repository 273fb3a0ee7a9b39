"""Every version of every customer."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from conf.spark import PERSON_SECRET
from jobs.core.errors import Failed
from jobs.core.registry import builds
from schemas.common.pseudonym import hashed
from schemas.contract import contract
from schemas.shop.silver import ShopCustomers

PERSON = [c.name for c in contract(ShopCustomers).columns if c.personal or c.mask == ("person",)]


@builds(ShopCustomers)
def customers(before: DataFrame, staged: DataFrame) -> DataFrame:
    """What is held, and of what was staged the rows that differ from the version before them.

    Extracts overlap, and a run may be loaded again: of equal content only the first snapshot is a version. Snapshots
    have an order, so nothing depends on the order in which files are loaded.

    Of who is deleted nothing personal stays in any version: neither text nor hash.
    """
    secret = staged.sparkSession.conf.get(PERSON_SECRET, None)
    if not secret:
        raise Failed("The session has no secret for persons' hashes: without one, anybody could make them too.")
    fresh = staged.withColumn(ShopCustomers.email_id, F.expr(hashed(secret, "lower(email)"))).withColumn(
        ShopCustomers.phone_id, F.expr(hashed(secret, "phone"))
    )
    every = before.withColumn("is_held", F.lit(True)).unionByName(fresh.withColumn("is_held", F.lit(False)))
    of_snapshot = Window.partitionBy(ShopCustomers.customer_id, ShopCustomers.taken_at)
    in_order = Window.partitionBy(ShopCustomers.customer_id).orderBy(ShopCustomers.taken_at)
    of_all = in_order.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    versions = (
        every.withColumn("place", F.row_number().over(of_snapshot.orderBy(F.desc("is_held"), F.desc("run_no"))))
        .where("place = 1")
        .withColumn("last", F.lag(ShopCustomers.content_hash).over(in_order))
        .where("is_held OR last IS NULL OR last <> content_hash")
        .withColumn("is_gone", F.last(ShopCustomers.is_deleted).over(of_all))
    )
    forgotten = {name: F.expr(f"CASE WHEN NOT is_gone THEN `{name}` END") for name in PERSON}
    return versions.withColumns(forgotten).drop("is_held", "place", "last", "is_gone")
