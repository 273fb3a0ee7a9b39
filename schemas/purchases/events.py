"""The purchase event: what a shop sends."""

from schemas.common.columns import CURRENCY_CODE, CUSTOMER_ID, PRODUCT_ID, SELLER_ID, SOURCE
from schemas.common.currencies import CURRENCIES
from schemas.common.envelope import Raw, Refused
from schemas.contract import col, event, record, table
from schemas.contract.rules import (
    RowRule,
    at_least,
    at_most,
    max_items,
    max_length,
    min_items,
    not_ahead_of,
    not_empty,
    not_zero,
    one_of,
    since,
    worth_at_most,
)
from schemas.contract.types import ID, LIST, MONEY, TEXT
from schemas.purchases.columns import PURCHASE_ID, PURCHASED_AT, QUANTITY

MOST_LINES = 10_000
MOST_PIECES = 9_999_999
MOST_PRICE = 1_000_000_000
# In ten-thousandths 10^16: whatever a purchase is made of, BIGINT and DECIMAL(18,4) hold it and its sums.
MOST_WORTH = 1_000_000_000_000


@record()
class PurchaseLine:
    """One line of a purchase."""

    product_id = PRODUCT_ID(not_empty(), max_length(64))
    description = col(TEXT, "Name of the product as sold.", max_length(1_000), optional=True)
    quantity = QUANTITY(not_zero(), at_least(-MOST_PIECES), at_most(MOST_PIECES))
    unit_price = col(
        MONEY, "Price of one piece in the purchase's currency.", at_least(-MOST_PRICE), at_most(MOST_PRICE)
    )  # fmt: skip


@event(
    "purchase",
    topic="purchases",
    partitions=2,
    max_bytes=1_000_000,
    rules={
        "lines": [
            RowRule(
                "price_of_a_sale",
                "unit_price must be above zero where quantity is above zero",
                "quantity < 0 OR unit_price > 0",
            )
        ]
    },
)
class PurchaseEvent:
    """One purchase or return, with all its lines."""

    purchase_id = PURCHASE_ID(not_empty(), max_length(128))
    purchased_at = PURCHASED_AT(since("2000-01-01"), not_ahead_of("ingested_at", 24))
    seller_id = SELLER_ID(
        not_empty(),
        max_length(64),
        type=ID,
        differs="an event may name any seller; tables store the few that there are by number",
    )
    customer_id = CUSTOMER_ID(not_empty(), max_length(64), note="empty where not known", optional=True)
    currency_code = CURRENCY_CODE(one_of(CURRENCIES, "a currency code of ISO 4217 that Sauda knows"))
    lines = col(
        LIST, "What was bought.", min_items(1), max_items(MOST_LINES),
        worth_at_most(MOST_WORTH, "quantity", "unit_price"), items=PurchaseLine,
    )  # fmt: skip
    source = SOURCE(max_length(500), optional=True, content=False)  # fmt: skip


@table("bronze.purchases", refresh="stream", built_from=[PurchaseEvent])
class PurchasesRaw(Raw):
    """One row per record of the topic purchases, untouched."""


@table("quarantine.purchases", refresh="stream", built_from=[PurchasesRaw])
class PurchasesRefused(Refused):
    """One row per refused purchase event."""
