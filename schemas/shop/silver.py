"""The shop's customers and products, every version of them."""

from schemas.common.columns import (
    CATEGORY_NAME,
    CHANGED_AT,
    CITY_NAME,
    CURRENCY_CODE,
    LINE_NO,
    PRICE_AMOUNT,
    SELLER_ID,
    SOURCE,
    TIMES_TEXT,
)
from schemas.common.envelope import Envelope
from schemas.contract import Plain, Replacing, col, like, table
from schemas.contract.types import CODE, FLAG, ID, INSTANT, TEXT
from schemas.shop.columns import RUN_NO
from schemas.shop.entities import MANY_SELLERS
from schemas.shop.events import CHANGED, ShopRaw
from schemas.shop.stage import CustomersStaged, ProductsStaged


@table(
    "silver.shop_changes",
    refresh="stream",
    built_from=[ShopRaw],
    clickhouse=Replacing(
        order_by=("entity_code", "entity_id", "event_id", "line_no"), version="arrival", dedup_window=20_000
    ),
    fed_by=CHANGED,
)
class ShopChanges(Envelope):
    """One row per change of a customer, a product or a seller: who changed when, and how."""

    line_no = LINE_NO(note="always 0", key=True)
    entity_code = col(CODE, "customer, product or seller.", source_fields="entity")
    entity_id = col(ID, "The customer, product or seller.", source_fields="customer_id product_id seller_id")
    action_code = col(CODE, "changed (or made) or deleted.", source_fields="@type")
    changed_at = CHANGED_AT(source_fields="changed_at @ce_time")
    seller_id = SELLER_ID(note="of a product", optional=True, source_fields="seller_id", type=ID, differs=MANY_SELLERS)
    category_name = CATEGORY_NAME(note="of a product", optional=True, source_fields="category_name")
    # Not `name`: that of a customer is a person's, and nothing here may read it.
    product_name = col(TEXT, "Name of a product.", optional=True, source_fields="product_name")
    price_amount = PRICE_AMOUNT(note="of a product", optional=True, source_fields="price_amount")
    currency_code = CURRENCY_CODE(optional=True, source_fields="currency_code")
    is_active = col(FLAG, "Whether a seller sells, or a product is on sale.", optional=True, source_fields="is_active")
    city_name = CITY_NAME(note="of a customer or a seller", optional=True, source_fields="city_name")
    times_text = TIMES_TEXT(optional=True, serving=False)


@table(
    "silver.shop_customers",
    built_from=[CustomersStaged],
    refresh="nightly",
    clickhouse=Plain(order_by=("customer_id", "taken_at")),
    business_key=["customer_id"],
)
class ShopCustomers:
    """One row per version of a customer.

    What tells of a person is in the lake only; who may read the bucket's folder may read it. ClickHouse has keyed
    hashes, by which the same person can be found again and nobody's name.
    """

    customer_id = like(CustomersStaged.customer_id, key=True)
    taken_at = col(INSTANT, "When the snapshot was taken that first showed this version.", key=True)
    changed_at = like(CustomersStaged.changed_at)
    is_deleted = col(FLAG, "Whether this version is the end: the row was gone.")
    name = like(CustomersStaged.name, optional=True)
    email = like(CustomersStaged.email, optional=True)
    phone = like(CustomersStaged.phone, optional=True)
    address = like(CustomersStaged.address, optional=True)
    email_id = col(
        ID, "Keyed hash of the e-mail address in small letters.", optional=True, source_fields="email", mask="person"
    )
    phone_id = col(ID, "Keyed hash of the telephone number.", optional=True, source_fields="phone", mask="person")
    city_name = like(CustomersStaged.city_name, optional=True)
    created_at = like(CustomersStaged.created_at, optional=True)
    run_no = like(CustomersStaged.run_no)
    content_hash = like(CustomersStaged.content_hash, serving=False)


@table(
    "silver.shop_products",
    built_from=[ProductsStaged, ShopChanges],
    refresh="nightly",
    clickhouse=Plain(order_by=("product_id", "valid_from")),
    business_key=["product_id"],
)
class ShopProducts:
    """One row per product and time in which nothing of it changed: a slowly changing dimension, type 2.

    Files say so, and changes of the shop's database by the API or by hand; of a product deleted there, the last version
    is not on sale.
    """

    product_id = like(ProductsStaged.product_id, key=True)
    valid_from = like(ProductsStaged.valid_from, key=True)
    valid_to = col(INSTANT, "Until when, that instant itself not; none for what holds today.", optional=True)
    is_current = col(FLAG, "Whether it holds today.")
    seller_id = like(ProductsStaged.seller_id)
    name = like(ProductsStaged.name)
    category_name = like(ProductsStaged.category_name, optional=True)
    price_amount = like(ProductsStaged.price_amount)
    currency_code = like(ProductsStaged.currency_code)
    is_active = like(ProductsStaged.is_active)
    source = SOURCE(note="the file, or the topic of the database's changes")
    run_no = RUN_NO(note="0 for a change of the database")
    content_hash = like(ProductsStaged.content_hash, serving=False)
