"""Questions about all purchases: fixed SQL over gold tables, and values that ClickHouse binds by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.parameters import Parameter, Parameters, limit, period
from schemas.contract import Column, Contract, contract
from schemas.purchases.gold import Customers, Hourly, ProductDaily, Products, SellerDaily
from schemas.shop.entities import Products as Catalogue
from schemas.types import CODE, ID, TEXT

DEFAULT_ROWS, MOST_ROWS = 100, 10_000
CURRENCY = Parameter("currency_code", CODE, "Only this currency, ISO 4217.", example="KZT")
SELLER = Parameter("seller_id", ID, "Only this seller.", example="almaly-market")
PRODUCT = Parameter("product_id", ID, "Only this product.", example="P0001")
CUSTOMER = Parameter("customer_id", ID, "Only this customer.", example="C00001")
CATEGORY = Parameter("category_name", TEXT, "Only this group of goods.", example="tea")
SINCE, UNTIL = period()
# Today's group of each product, from the shop's catalogue.
CATEGORIES = (
    " LEFT JOIN (SELECT product_id, argMax(category_name, valid_from) AS category_name"
    " FROM silver.shop_products WHERE is_current GROUP BY product_id) AS c ON c.product_id = t.product_id"
)
MADE_OF = {"since": "t.sold_on >= {since:Date32}", "until": "t.sold_on <= {until:Date32}",
           "category_name": "c.category_name = {category_name:String}"}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """One question: of which table, by which columns it is grouped (by none where rows are as they stand).

    `sums` are the columns that may be added up over the groups: an order with two products is one order of each, so
    orders of products do not add up to orders of a category.
    """

    name: str
    summary: str
    table: Contract
    by: tuple[str, ...]
    sums: tuple[str, ...]
    order: str
    filters: tuple[Parameter, ...]
    about: str = ""
    join: str = ""

    @property
    def parameters(self) -> Parameters:
        return Parameters(*self.filters, limit(DEFAULT_ROWS, MOST_ROWS))

    def columns(self) -> tuple[Column, ...]:
        """What is answered, in order."""
        if not self.by:
            return self.table.serving_columns
        return tuple(self._column(name) for name in (*self.by, *self.sums))

    def _column(self, name: str) -> Column:
        return contract(Catalogue).column(name) if name == "category_name" else self.table.column(name)

    def sql(self, given: Mapping[str, Any]) -> str:
        """The statement for those parameters that were given; no value stands in it."""
        if self.by:
            keys = [f"{'c' if name == 'category_name' else 't'}.{name}" for name in self.by]
            picked = [f"{key} AS {name}" for key, name in zip(keys, self.by, strict=True)]
            picked += [f"sum(t.{name}) AS {name}" for name in self.sums]
            grouped = f" GROUP BY {', '.join(keys)}"
        else:
            picked, grouped = [f"t.{c} AS {c}" for c in self.columns()], ""
        known = [each.name for each in self.filters if each.name in given]
        conditions = [MADE_OF.get(name, f"t.{name} = {{{name}:String}}") for name in known]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return (
            f"SELECT {', '.join(picked)} FROM {self.table.name} AS t{self.join}{where}{grouped}"
            f" ORDER BY {self.order} LIMIT {{limit:UInt32}}"
        )


def _measures(table: Contract, *without: str) -> tuple[str, ...]:
    """The columns that add up, of a table of sales."""
    kinds = ("COUNT", "MONEY")
    found = (c.name for c in table.columns if not c.key and c.type.name in kinds)
    # The same customer comes on several days.
    return tuple(name for name in found if name not in ("customer_count", *without))


SELLERS, PRODUCTS, HOURS = contract(SellerDaily), contract(ProductDaily), contract(Hourly)
BEST = "revenue_amount DESC"
QUESTIONS = (
    Question("sales/by-seller", "What did each seller sell?", SELLERS, ("seller_id", "currency_code"),
             _measures(SELLERS), f"{BEST}, seller_id, currency_code", (SINCE, UNTIL, SELLER, CURRENCY)),
    Question("sales/by-product", "What was sold of each product?", PRODUCTS, ("product_id", "currency_code"),
             _measures(PRODUCTS), f"{BEST}, product_id, currency_code", (SINCE, UNTIL, SELLER, PRODUCT, CURRENCY)),
    Question("sales/by-category", "What was sold of each group of goods?", PRODUCTS, ("category_name", "currency_code"),
             _measures(PRODUCTS, "order_count"), f"{BEST}, category_name, currency_code",
             (SINCE, UNTIL, SELLER, CATEGORY, CURRENCY), join=CATEGORIES,
             about="Groups are those of today's catalogue; null is what the catalogue does not know."),
    Question("sales/by-day", "What was sold each day?", SELLERS, ("sold_on", "currency_code"),
             _measures(SELLERS), "sold_on, currency_code", (SINCE, UNTIL, SELLER, CURRENCY)),
    Question("sales/by-hour", "What was sold each hour?", HOURS, ("hour_at", "currency_code"),
             _measures(HOURS), "hour_at, currency_code", (SINCE, UNTIL, SELLER, CURRENCY)),
    Question("products/top", "Which products brought most?", contract(Products), (), (),
             f"{BEST}, seller_id, product_id, currency_code", (SELLER, CURRENCY),
             about="Each product of each seller with its whole history."),
    Question("customers", "What did each customer buy?", contract(Customers), (), (),
             f"{BEST}, customer_id, currency_code", (CUSTOMER, CURRENCY),
             about="Each known customer's whole history, the best first."),
)  # fmt: skip
