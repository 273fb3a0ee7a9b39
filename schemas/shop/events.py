"""The topic of changes in the shop's database.

An event is written by the database itself, in the transaction that changes the row (`infra/postgres/migrations/`). It
carries the row without its personal columns: a topic and bronze are copies in which nobody can be forgotten.
"""

from schemas.common.columns import (
    CATEGORY_NAME,
    CHANGED_AT,
    CITY_NAME,
    CURRENCY_CODE,
    LINE_NO,
    PRICE_AMOUNT,
    SELLER_ID,
    TIMES_TEXT,
)
from schemas.common.envelope import Envelope
from schemas.contract import Replacing, col, feed, table
from schemas.contract.types import CODE, FLAG, ID, TEXT
from schemas.ops.tables import Raw, Refused
from schemas.shop import TOPIC
from schemas.shop.entities import MANY_SELLERS

KINDS = ("customer", "product", "seller")
CHANGED = tuple(f"shop.{kind}.{action}" for kind in KINDS for action in ("changed", "deleted"))


@feed(topic=TOPIC, partitions=1)
class ShopRows:
    """Changed and deleted rows of the shop's database, one event a change; the event's type names entity and action."""


@table("bronze.shop", refresh="stream", built_from=[ShopRows])
class ShopRaw(Raw):
    """One row per record of the topic shop-changes, untouched."""


@table("quarantine.shop", refresh="stream", built_from=[ShopRaw])
class ShopRefused(Refused):
    """One row per refused change of the shop's database."""


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
