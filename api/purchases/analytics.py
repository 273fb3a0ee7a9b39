"""Questions about all purchases: fixed SQL over gold tables, and values that ClickHouse binds by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.http.parameters import Parameter, Parameters, limit, period
from schemas.contract import Column, Contract, contract
from schemas.contract.types import CODE, ID, TEXT
from schemas.purchases.gold import CategoryDaily, Customers, Hourly, ProductDaily, Products, Sales, SellerDaily

DEFAULT_ROWS, MAX_ROWS = 100, 10_000
CURRENCY = Parameter("currency_code", CODE, "Only this currency, ISO 4217.", example="KZT")
SELLER = Parameter("seller_id", ID, "Only this seller.", example="almaly-market")
PRODUCT = Parameter("product_id", ID, "Only this product.", example="P0001")
CUSTOMER = Parameter("customer_id", ID, "Only this customer.", example="C00001")
CATEGORY = Parameter("category_name", TEXT, "Only this group of goods.", example="tea")
SINCE, UNTIL = period()
PERIOD = {"since": "t.sold_on >= {since:Date32}", "until": "t.sold_on <= {until:Date32}"}


@dataclass(frozen=True)
class Question:
    """One question: of which table, by which columns it is grouped (by none where rows are as they stand).

    `sums` are the columns that add up over what is grouped: the same customer, for one, comes on several days.
    """

    name: str
    summary: str
    table: Contract
    by: tuple[str, ...]
    sums: tuple[str, ...]
    order: str
    filters: tuple[Parameter, ...]
    about: str = ""

    @property
    def parameters(self) -> Parameters:
        return Parameters(*self.filters, limit(DEFAULT_ROWS, MAX_ROWS))

    def columns(self) -> tuple[Column, ...]:
        """What is answered, in order."""
        if not self.by:
            return self.table.serving_columns
        return tuple(self.table.column(name) for name in (*self.by, *self.sums, BASE))

    def sql(self, given: Mapping[str, Any]) -> str:
        """The statement for those parameters that were given; no value stands in it."""
        if self.by:
            picked = [f"t.{name} AS {name}" for name in self.by] + [f"sum(t.{name}) AS {name}" for name in self.sums]
            picked.append(f"any(t.{BASE}) AS {BASE}")
            grouped = f" GROUP BY {', '.join(f't.{name}' for name in self.by)}"
        else:
            picked, grouped = [f"t.{c} AS {c}" for c in self.columns()], ""
        known = [each.name for each in self.filters if each.name in given]
        conditions = [PERIOD.get(name, f"t.{name} = {{{name}:String}}") for name in known]
        # One currency alone is ranked by its own amounts.
        order = self.order.replace(BEST, BEST_OF_ONE) if CURRENCY.name in given else self.order
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return (
            f"SELECT {', '.join(picked)} FROM {self.table.name} AS t{where}{grouped}"
            f" ORDER BY {order} LIMIT {{limit:UInt32}}"
        )


SUMS = tuple(name for name in vars(Sales) if name.endswith(("_count", "_amount")))
SELLERS, PRODUCTS, HOURS = contract(SellerDaily), contract(ProductDaily), contract(Hourly)
BASE = "base_currency_code"
BEST, BEST_OF_ONE = "revenue_base_amount DESC NULLS LAST", "revenue_amount DESC"
"""The best first: of several currencies in the base currency, of one in its own."""
QUESTIONS = (
    Question("sales/by-seller", "What did each seller sell?", SELLERS, ("seller_id", "currency_code"),
             SUMS, f"{BEST}, seller_id, currency_code", (SINCE, UNTIL, SELLER, CURRENCY)),
    Question("sales/by-product", "What was sold of each product?", PRODUCTS, ("product_id", "currency_code"),
             SUMS, f"{BEST}, product_id, currency_code", (SINCE, UNTIL, SELLER, PRODUCT, CURRENCY)),
    Question("sales/by-category", "What was sold of each group of goods?", contract(CategoryDaily),
             ("category_name", "currency_code"), SUMS, f"{BEST}, category_name, currency_code",
             (SINCE, UNTIL, SELLER, CATEGORY, CURRENCY),
             about="A group is that of the product on the day; an order counts once in each of its groups."),
    Question("sales/by-day", "What was sold each day?", SELLERS, ("sold_on", "currency_code"),
             SUMS, "sold_on, currency_code", (SINCE, UNTIL, SELLER, CURRENCY)),
    Question("sales/by-hour", "What was sold each hour?", HOURS, ("hour_at", "currency_code"),
             SUMS, "hour_at, currency_code", (SINCE, UNTIL, SELLER, CURRENCY)),
    Question("products/top", "Which products brought most?", contract(Products), (), (),
             f"{BEST}, seller_id, product_id, currency_code", (SELLER, CURRENCY),
             about="Each product of each seller with its whole history."),
    Question("customers", "What did each customer buy?", contract(Customers), (), (),
             f"{BEST}, customer_id, currency_code", (CUSTOMER, CURRENCY),
             about="Each known customer's whole history, the best first."),
)  # fmt: skip
