"""Purchase lines to measure with: a chain of shops of fixed size, seen for longer the more lines are wanted.

Every value follows from the line's number, so a second run has the same lines. About three lines a purchase, four lines
a product and day, one purchase in fifty a return, one line in a hundred a return among sold ones, one purchase in
four by somebody unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.core.conform import conform
from schemas.contract import contract
from schemas.purchases.silver import PurchaseLines
from schemas.shop.silver import ShopProducts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SHOPS, PRODUCTS, CUSTOMERS = 50, 300, 200_000
CATEGORIES = 15
LINES_A_DAY = 27_400
FIRST_DAY = "2024-01-01"


def purchase_lines(spark: SparkSession, count: int) -> DataFrame:
    """About `count` lines of silver, in no order."""
    days = max(1, count // LINES_A_DAY)
    purchases = spark.range(count // 3).selectExpr(
        "id",
        f"CAST({SHOPS} * pow({_chance(1, 'id')}, 1.5) AS INT) AS shop",
        f"date_add(DATE'{FIRST_DAY}', CAST({_chance(2, 'id')} * {days} AS INT)) AS sold_on",
        f"CAST({_chance(3, 'id')} * 86400 AS INT) AS second",
        f"IF({_chance(4, 'id')} < 0.25, NULL, CAST({_chance(5, 'id')} * {CUSTOMERS} AS INT)) AS customer",
        f"{_chance(6, 'id')} < 0.02 AS is_all_returned",
        f"explode(sequence(0L, CAST({_chance(7, 'id')} * 5 AS BIGINT))) AS line_no",
    )
    lines = purchases.selectExpr(
        "*",
        f"CAST({PRODUCTS} * pow({_chance(8, 'id', 'line_no')}, 2.5) AS INT) AS product",
        f"IF(is_all_returned OR {_chance(9, 'id', 'line_no')} < 0.01, -1L, 1L)"
        f" * (1 + CAST({_chance(10, 'id', 'line_no')} * 12 AS BIGINT)) AS quantity",
        "(10L + (product * 7919 + shop * 31) % 1000) * 12500 AS unit_price",
        "timestamp_seconds(unix_date(sold_on) * 86400L + second) AS purchased_at",
        "md5(CAST(id AS STRING)) AS event_id",
    )
    rows = lines.selectExpr(
        "event_id", "line_no", "xxhash64(event_id) AS event_hash", "purchased_at AS ingested_at",
        "'purchases' AS kafka_topic", "id % 2 AS kafka_partition", "id AS kafka_offset", "0L AS batch_id",
        "9223372036854775807L - id AS arrival", "concat('P', id) AS purchase_id", "purchased_at", "sold_on",
        "concat('shop-', lpad(shop, 3, '0')) AS seller_id", "concat('customer-', customer) AS customer_id",
        "IF(shop % 10 = 7, 'USD', 'KZT') AS currency_code", "concat('sku-', lpad(product, 5, '0')) AS product_id",
        "concat('Product number ', product, ' of the catalogue') AS description", "quantity",
        f"{_money('unit_price')} AS unit_price_amount", f"{_money('unit_price * quantity')} AS line_amount",
        "unit_price * quantity AS line_units", "quantity < 0 AS is_return", "'bench' AS source",
    )  # fmt: skip
    return conform(rows, contract(PurchaseLines))


def write_lines(spark: SparkSession, count: int, path: str) -> None:
    """A silver table as compaction leaves it: few files, sorted by day and seller."""
    table = contract(PurchaseLines)
    files = max(2, count // 2_500_000)
    rows = purchase_lines(spark, count).repartitionByRange(files, *table.sort_by).sortWithinPartitions(*table.sort_by)
    rows.write.format("delta").mode("overwrite").save(path)


def shop_products(spark: SparkSession, count: int) -> DataFrame:
    """The catalogue: each product is in a category, in another from half-time on, and one in thirty is in none."""
    half = f"TIMESTAMP'{FIRST_DAY}' + make_interval(0, 0, 0, {max(1, count // LINES_A_DAY) // 2}, 0, 0, 0)"
    rows = spark.range(2 * PRODUCTS).selectExpr("id DIV 2 AS product", "id % 2 AS version").selectExpr(
        "concat('sku-', lpad(product, 5, '0')) AS product_id",
        f"IF(version = 0, TIMESTAMP'2000-01-01', {half}) AS valid_from",
        f"IF(version = 0, {half}, NULL) AS valid_to", "version = 1 AS is_current", "'shop-000' AS seller_id",
        "concat('Product number ', product) AS name",
        f"IF(product % 30 = 7, NULL, concat('category ', (product + version) % {CATEGORIES})) AS category_name",
        "1.0BD AS price_amount", "'KZT' AS currency_code", "true AS is_active", "'bench' AS source", "1L AS run_no",
        "md5(concat(product, '/', version)) AS content_hash",
    )  # fmt: skip
    return conform(rows, contract(ShopProducts))


def write_products(spark: SparkSession, count: int, path: str) -> None:
    """The catalogue beside so many lines, as one file."""
    shop_products(spark, count).coalesce(1).write.format("delta").mode("overwrite").save(path)


def _chance(salt: int, *of: str) -> str:
    """A number from 0 to below 1 that follows from the given columns."""
    return f"(pmod(xxhash64({', '.join(of)}, {salt}), 1000003) / 1000003D)"


def _money(units: str) -> str:
    return f"CAST(CAST({units} AS DECIMAL(19, 0)) * 0.0001BD AS DECIMAL(18, 4))"
