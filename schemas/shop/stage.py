"""What waits in the bucket's stage area, as Parquet files, until the batch driver loads it."""

from schemas.common.columns import CHANGED_AT, SOURCE
from schemas.contract import col, like, record, table
from schemas.contract.rules import since
from schemas.contract.types import FLAG, INSTANT, TEXT
from schemas.shop.columns import RUN_NO
from schemas.shop.entities import Customers, Products


class Staged:
    """How a staged row is told from other versions of the same."""

    run_no = RUN_NO(key=True)
    content_hash = col(TEXT, "Hash of the columns that make a version: equal for equal content.", serving=False)


@table("stage.customers", delta=False)
class CustomersStaged(Staged):
    """One row per customer that a run of the extract found new, changed or gone."""

    customer_id = like(Customers.customer_id, key=True)
    taken_at = col(INSTANT, "When the snapshot of the database was taken that shows the row so.")
    changed_at = CHANGED_AT(note="of a deletion, when it was found")
    is_deleted = col(FLAG, "Whether the row is gone; then all below is empty.")
    name = like(Customers.name, optional=True)
    email = like(Customers.email, optional=True)
    phone = like(Customers.phone, optional=True)
    address = like(Customers.address, optional=True)
    city_name = like(Customers.city_name, optional=True)
    created_at = like(Customers.created_at, optional=True)


@record()
class ProductRow:
    """One row of a file of products."""

    product_id = like(Products.product_id, with_rules=True)
    seller_id = like(Products.seller_id, with_rules=True)
    name = like(Products.name, with_rules=True)
    category_name = like(Products.category_name, with_rules=True, optional=True)
    price_amount = like(Products.price_amount, with_rules=True)
    currency_code = like(Products.currency_code, with_rules=True)
    is_active = like(Products.is_active, with_rules=True, optional=True)
    changed_at = CHANGED_AT(since("2000-01-01"), note="where the file does not say, when it was dropped", optional=True)


@table("stage.products", delta=False)
class ProductsStaged(Staged):
    """One row per product of a file that kept every rule."""

    product_id = like(Products.product_id, key=True)
    valid_from = col(INSTANT, "Since when it is so: as the file says, else when the file was dropped.", key=True)
    seller_id = like(Products.seller_id)
    name = like(Products.name)
    category_name = like(Products.category_name, optional=True)
    price_amount = like(Products.price_amount)
    currency_code = like(Products.currency_code)
    is_active = like(Products.is_active)
    source = SOURCE(note="the file")
