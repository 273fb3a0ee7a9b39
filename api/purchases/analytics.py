"""Questions about all purchases."""

from __future__ import annotations

from typing import Any

from api.analytics.question import Question
from api.http.parameters import Parameter, period
from schemas.contract import contract
from schemas.contract.types import CODE, ID, TEXT
from schemas.purchases.gold import CategoryDaily, Customers, Hourly, ProductDaily, Products, Sales, SellerDaily

CURRENCY = Parameter("currency_code", CODE, "Only this currency, ISO 4217.", example="KZT")
SELLER = Parameter("seller_id", ID, "Only this seller.", example="almaly-market")
PRODUCT = Parameter("product_id", ID, "Only this product.", example="P0001")
CUSTOMER = Parameter("customer_id", ID, "Only this customer.", example="C00001")
CATEGORY = Parameter("category_name", TEXT, "Only this group of goods.", example="tea")
SINCE, UNTIL = period()
ABOUT = (
    "Amounts are texts with four decimals, each in the currency beside it; revenue_base_amount is in the base "
    "currency, by which currencies are ranked together. Made every night from all purchases."
)
SUMS = tuple(name for name in vars(Sales) if name.endswith(("_count", "_amount")))
SELLERS, PRODUCTS, HOURS = contract(SellerDaily), contract(ProductDaily), contract(Hourly)


def _best_first(*columns: str) -> dict[str, Any]:
    """Several currencies are ranked in the base currency, one alone by its own amounts; then by these columns."""
    rest = ", ".join((*columns, CURRENCY.name))
    return {
        "order": f"revenue_base_amount DESC NULLS LAST, {rest}",
        "order_with": {CURRENCY.name: f"revenue_amount DESC, {rest}"},
    }


def _sales(path: str, summary: str, table: Any, by: str, *filters: Parameter, **more: Any) -> Question:
    """What was sold, by one column and the currency."""
    return Question(
        f"sales/{path}", summary, table, filters=(SINCE, UNTIL, SELLER, *filters, CURRENCY), by=(by, CURRENCY.name),
        sums=SUMS, constants=("base_currency_code",), day="sold_on", about=f"{more.pop('about', '')} {ABOUT}".strip(),
        **more,
    )  # fmt: skip


QUESTIONS = (
    _sales("by-seller", "What did each seller sell?", SELLERS, "seller_id", **_best_first("seller_id")),
    _sales("by-product", "What was sold of each product?", PRODUCTS, "product_id", PRODUCT,
           **_best_first("product_id")),
    _sales("by-category", "What was sold of each group of goods?", contract(CategoryDaily), "category_name", CATEGORY,
           **_best_first("category_name"),
           about="A group is that of the product on the day; an order counts once in each of its groups."),
    _sales("by-day", "What was sold each day?", SELLERS, "sold_on", order="sold_on, currency_code"),
    _sales("by-hour", "What was sold each hour?", HOURS, "hour_at", order="hour_at, currency_code"),
    Question("products/top", "Which products brought most?", contract(Products), filters=(SELLER, CURRENCY),
             **_best_first("seller_id", "product_id"), operation="top_products",
             about=f"Each product of each seller with its whole history. {ABOUT}"),
    Question("customers", "What did each customer buy?", contract(Customers), filters=(CUSTOMER, CURRENCY),
             **_best_first("customer_id"), operation="sales_by_customer",
             about=f"Each known customer's whole history, the best first. {ABOUT}"),
)  # fmt: skip
