"""What the shop's own database keeps, and what a client may write into it.

The tables are made by the migrations in `infra/postgres/`; a test holds these against the contracts.
"""

from schemas.common.columns import (
    ADDRESS,
    CATEGORY_NAME,
    CITY_NAME,
    CURRENCY_CODE,
    CUSTOMER_ID,
    EMAIL,
    PHONE,
    PRICE_AMOUNT,
    PRODUCT_ID,
    SELLER_ID,
)
from schemas.common.currencies import CURRENCIES
from schemas.contract import col, entity
from schemas.contract.rules import at_least, at_most, matches, max_length, not_empty, one_of
from schemas.contract.types import FLAG, ID, INSTANT, TEXT

MOST_AMOUNT = 9_999_999
KEY_RULE = matches("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first")
PHONE_RULE = matches("[+][1-9][0-9]{6,14}", "a telephone number like +77011234567 (E.164)")
EMAIL_RULE = matches("[^@\\s]{1,64}@[^@\\s.]+([.][^@\\s.]+)+", "an e-mail address like aigul@example.kz")


MANY_SELLERS = (
    "the shop keeps a row of each seller, so the values are all different; sales have few sellers and many rows"
)


class Kept:
    """What every row of the shop's database has. The database sets both; no writer can forget them."""

    created_at = col(INSTANT, "When the row was made.")
    updated_at = col(INSTANT, "When the row was last changed.")


@entity("shop.customers")
class Customers(Kept):
    """One row per customer."""

    customer_id = CUSTOMER_ID(KEY_RULE, key=True)
    name = col(TEXT, "The customer's name.", not_empty(), max_length(200), personal="name")
    email = EMAIL(max_length(254), EMAIL_RULE, optional=True, personal="email")
    phone = PHONE(PHONE_RULE, note="with the country's code", optional=True, personal="phone")
    address = ADDRESS(not_empty(), max_length(500), optional=True, personal="address")
    city_name = CITY_NAME(not_empty(), max_length(100), optional=True)


@entity("shop.sellers")
class Sellers(Kept):
    """One row per seller."""

    seller_id = SELLER_ID(KEY_RULE, key=True, type=ID, differs=MANY_SELLERS)
    name = col(TEXT, "The shop's name.", not_empty(), max_length(200))
    city_name = CITY_NAME(not_empty(), max_length(100), optional=True)
    is_active = col(FLAG, "Whether the seller sells now.")


@entity("shop.products", references={"seller_id": Sellers})
class Products(Kept):
    """One row per product that a seller offers."""

    product_id = PRODUCT_ID(KEY_RULE, key=True)
    seller_id = SELLER_ID(KEY_RULE, type=ID, differs=MANY_SELLERS)
    name = col(TEXT, "Name of the product.", not_empty(), max_length(1_000))
    category_name = CATEGORY_NAME(not_empty(), max_length(100), optional=True)
    price_amount = PRICE_AMOUNT(at_least(0), at_most(MOST_AMOUNT))
    currency_code = CURRENCY_CODE(one_of(CURRENCIES, "a currency code of ISO 4217 that Sauda knows"))
    is_active = col(FLAG, "Whether the product is on sale now.")
