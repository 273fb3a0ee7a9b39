"""What purchases add up to."""

from schemas.common.columns import CATEGORY_NAME, CURRENCY_CODE, CUSTOMER_ID, PRODUCT_ID, SELLER_ID
from schemas.contract import Plain, col, table
from schemas.contract.rules import STOP, WARN, RowRule, at_least, at_most, not_empty, one_of
from schemas.contract.types import CODE, COUNT, DAY, FLAG, INSTANT, NUMBER, SUM, TEXT
from schemas.purchases.columns import (
    LARGEST_AMOUNT,
    LINE_COUNT,
    MEAN_AMOUNT,
    MEAN_LINES,
    MEDIAN_AMOUNT,
    MEDIAN_LINES,
    PERIOD_KIND,
    PERIOD_STARTED_ON,
    REVENUE_AMOUNT,
    SALES_AMOUNT,
    SOLD_COUNT,
    SOLD_ON,
)
from schemas.purchases.silver import PurchaseLines
from schemas.rates.silver import ExchangeRates
from schemas.shop.silver import ShopProducts

PERIOD_KINDS = ("day", "week", "month")
"""What sums are made over beside the day: weeks begin on Monday (ISO 8601), all days are UTC."""
EVER = "all"
UNKNOWN_CATEGORY = "unknown"


class Sales:
    """The measures that every sales table has."""

    order_count = col(COUNT, "Purchases with at least one sold line here.", at_least(0), on_fail=STOP)
    line_count = LINE_COUNT(at_least(1), on_fail=STOP)
    sold_count = SOLD_COUNT(at_least(0), on_fail=STOP)
    returned_count = col(COUNT, "Pieces returned.", at_least(0), on_fail=STOP)
    sales_amount = SALES_AMOUNT(at_least(0), on_fail=STOP)
    returns_amount = col(SUM, "Quantity times price of the returned lines, as a positive amount.")
    revenue_amount = REVENUE_AMOUNT()
    base_currency_code = col(
        CODE, "Currency of revenue_base_amount: the base currency of the night that made the row.", optional=True
    )
    revenue_base_amount = col(
        SUM,
        "revenue_amount in the base currency, each line at the rate of its day; empty where no line has a rate.",
        optional=True,
    )
    unconverted_line_count = col(
        COUNT, "Lines without a rate of their day or shortly before, which revenue_base_amount lacks.", at_least(0),
        optional=True, on_fail=STOP,
    )  # fmt: skip


ADDS_UP = RowRule(
    "adds_up",
    "revenue_amount must be sales_amount less returns_amount",
    "revenue_amount = sales_amount - returns_amount",
    STOP,
)


@table(
    "gold.purchases_seller_daily",
    built_from=[PurchaseLines, ExchangeRates],
    refresh="nightly",
    day="sold_on",
    clickhouse=Plain(partition="toYYYYMM(sold_on)", order_by=("seller_id", "sold_on", "currency_code")),
    rules=[ADDS_UP],
)
class SellerDaily(Sales):
    """One row per seller, day and currency: what the seller sold."""

    seller_id = SELLER_ID(not_empty(), key=True, on_fail=STOP)
    sold_on = SOLD_ON(key=True)
    currency_code = CURRENCY_CODE(key=True)
    customer_count = col(COUNT, "Different known customers.", at_least(0), on_fail=STOP)


@table(
    "gold.purchases_product_daily",
    built_from=[PurchaseLines, ExchangeRates],
    refresh="nightly",
    day="sold_on",
    clickhouse=Plain(partition="toYYYYMM(sold_on)", order_by=("product_id", "seller_id", "sold_on", "currency_code")),
    rules=[ADDS_UP],
)
class ProductDaily(Sales):
    """One row per seller, product, day and currency: what was sold of the product."""

    seller_id = SELLER_ID(key=True)
    product_id = PRODUCT_ID(not_empty(), key=True, on_fail=STOP)
    sold_on = SOLD_ON(key=True)
    currency_code = CURRENCY_CODE(key=True)


@table(
    "gold.purchases_category_daily",
    built_from=[PurchaseLines, ShopProducts, ExchangeRates],
    refresh="nightly",
    day="sold_on",
    clickhouse=Plain(
        partition="toYYYYMM(sold_on)", order_by=("category_name", "seller_id", "sold_on", "currency_code")
    ),
    rules=[ADDS_UP],
)
class CategoryDaily(Sales):
    """One row per category of goods, seller, day and currency: what was sold of it.

    A line's category is that of its product as it stood at the end of the day of the purchase; what is not known of the
    product on that day is counted as "unknown", so that the categories add up to all that was sold. A purchase counts
    once in each of its categories: its orders add up over days and sellers, but not over categories.
    """

    category_name = CATEGORY_NAME(not_empty(), note="unknown where none is known", key=True, on_fail=STOP)
    seller_id = SELLER_ID(key=True)
    sold_on = SOLD_ON(key=True)
    currency_code = CURRENCY_CODE(key=True)


@table(
    "gold.purchases_products",
    built_from=[ProductDaily, PurchaseLines],
    refresh="nightly",
    clickhouse=Plain(order_by=("product_id", "seller_id", "currency_code")),
    rules=[ADDS_UP],
)
class Products(Sales):
    """One row per seller, product and currency: the product's whole history."""

    seller_id = SELLER_ID(key=True)
    # Of shops whose catalogue is known; a file of another shop's purchases has its own products. What was sold before
    # its catalogue came in, or long after it was taken out, is no reason to warn.
    product_id = PRODUCT_ID(
        not_empty(),
        key=True,
        on_fail=STOP,
        refers_to="silver.shop_products.product_id",
        refers_within="seller_id",
        unresolved_pct=5,
    )
    currency_code = CURRENCY_CODE(key=True)
    description = col(TEXT, "Its latest name; of two at one instant the greater in sorting order.", optional=True)
    first_sold_on = col(DAY, "First day with a sale or return.")
    last_sold_on = col(DAY, "Last day with a sale or return.")


@table(
    "gold.purchases_hourly",
    built_from=[PurchaseLines, ExchangeRates],
    refresh="nightly",
    day="sold_on",
    clickhouse=Plain(partition="toYYYYMM(sold_on)", order_by=("seller_id", "hour_at", "currency_code")),
    rules=[ADDS_UP],
)
class Hourly(Sales):
    """One row per seller, hour and currency: what was sold in that hour."""

    seller_id = SELLER_ID(key=True)
    hour_at = col(INSTANT, "Start of the hour, UTC.", key=True)
    sold_on = SOLD_ON(note="the day of the hour")
    currency_code = CURRENCY_CODE(key=True)


@table(
    "gold.purchases_customers",
    built_from=[PurchaseLines, ExchangeRates],
    refresh="nightly",
    clickhouse=Plain(order_by=("customer_id", "currency_code")),
    rules=[ADDS_UP],
)
class Customers(Sales):
    """One row per known customer and currency: the customer's whole history."""

    customer_id = CUSTOMER_ID(not_empty(), key=True, on_fail=STOP)
    currency_code = CURRENCY_CODE(key=True)
    first_purchased_at = col(INSTANT, "First purchase or return.")
    last_purchased_at = col(INSTANT, "Last purchase or return.")
    return_count = col(COUNT, "Purchases with at least one returned line.", at_least(0), on_fail=STOP)


@table(
    "gold.purchases_basket_daily",
    built_from=[PurchaseLines, ExchangeRates],
    refresh="nightly",
    day="sold_on",
    clickhouse=Plain(partition="toYYYYMM(sold_on)", order_by=("seller_id", "sold_on", "currency_code")),
)
class BasketDaily:
    """One row per seller, day and currency: how large the baskets were. A basket is the sold lines of one purchase."""

    seller_id = SELLER_ID(key=True)
    sold_on = SOLD_ON(key=True)
    currency_code = CURRENCY_CODE(key=True)
    basket_count = col(COUNT, "Purchases with at least one sold line.", at_least(1), on_fail=STOP)
    line_count = col(
        COUNT, "Sold lines in all baskets.", at_least(1), on_fail=STOP, differs="a basket has no returned lines"
    )
    sold_count = SOLD_COUNT(at_least(1), note="in all baskets", on_fail=STOP)
    sales_amount = SALES_AMOUNT(at_least(0), note="the value of all baskets", on_fail=STOP)
    mean_lines = MEAN_LINES(at_least(1), on_fail=WARN)
    median_lines = MEDIAN_LINES(at_least(1), on_fail=WARN)
    mean_amount = MEAN_AMOUNT(at_least(0), on_fail=STOP)
    median_amount = MEDIAN_AMOUNT(at_least(0), on_fail=STOP)
    largest_amount = LARGEST_AMOUNT(at_least(0), on_fail=STOP)


@table(
    "gold.purchases_revenue_anomalies",
    built_from=[SellerDaily],
    refresh="nightly",
    clickhouse=Plain(order_by=("seller_id", "sold_on", "currency_code")),
)
class RevenueAnomalies:
    """One row per seller, day and currency: the day's revenue beside what was to be expected.

    The expectation is a local level (median of the 28 days with sales before) plus the weekday's usual deviation from
    it (median of its last eight); the score is the robust z of what is left (Iglewicz and Hoaglin 1993: 0.6745 times
    the residual, by the median absolute residual of the 56 days before; beyond 3.5 is unusual). Only earlier days are
    looked at, so that a verdict does not change when later days come.
    """

    seller_id = SELLER_ID(key=True)
    sold_on = SOLD_ON(key=True)
    currency_code = CURRENCY_CODE(key=True)
    revenue_amount = REVENUE_AMOUNT(note="of the seller's day")
    expected_amount = col(SUM, "What was to be expected of the day; empty with too little history.", optional=True)
    low_amount = col(SUM, "Lower end of the usual interval; empty with too little history.", optional=True)
    high_amount = col(SUM, "Upper end of the usual interval; empty with too little history.", optional=True)
    score = col(NUMBER, "Robust z of the residual; 0 with too little history.")
    is_anomaly = col(FLAG, "Whether the day lies outside the interval.")
    rule = col(
        CODE, "robust_z: judged; too_little_history: fewer than 28 earlier days with sales, so never an anomaly."
    )
    reason = col(TEXT, "The finding in a sentence.")


@table(
    "gold.purchases_customer_daily",
    built_from=[PurchaseLines, ExchangeRates],
    refresh="nightly",
    day="sold_on",
    clickhouse=Plain(partition="toYYYYMM(sold_on)", order_by=("customer_id", "sold_on", "seller_id", "currency_code")),
    rules=[ADDS_UP],
)
class CustomerDaily(Sales):
    """One row per known customer, seller, day and currency: what the customer bought.

    Its counts and amounts add up to weeks, months and all sellers, for a purchase has one customer, seller, day and
    currency; customers do not: count them over the rows of the period.
    """

    customer_id = CUSTOMER_ID(not_empty(), key=True, on_fail=STOP)
    seller_id = SELLER_ID(key=True)
    sold_on = SOLD_ON(key=True)
    currency_code = CURRENCY_CODE(key=True)


@table(
    "gold.purchases_seller_periods",
    built_from=[PurchaseLines, ExchangeRates],
    refresh="nightly",
    clickhouse=Plain(order_by=("period_kind", "seller_id", "period_started_on", "currency_code")),
    rules=[ADDS_UP],
)
class SellerPeriods(Sales):
    """One row per seller, day, week or month, and currency: what was sold, and how large the baskets were.

    The rows with an empty seller_id are those of all sellers together; so choose a period_kind, and one or all sellers.
    A basket is the sold lines of one purchase; means are over the period's baskets, never over the means of its days.
    Where there were only returns there is no basket.
    """

    period_kind = PERIOD_KIND(one_of(PERIOD_KINDS, "day, week or month"), key=True, on_fail=STOP)
    period_started_on = PERIOD_STARTED_ON(key=True)
    seller_id = SELLER_ID(note="empty for all sellers together", key=True)
    currency_code = CURRENCY_CODE(key=True)
    mean_lines = MEAN_LINES(at_least(1), optional=True, on_fail=WARN)
    median_lines = MEDIAN_LINES(at_least(1), optional=True, on_fail=WARN)
    mean_amount = MEAN_AMOUNT(at_least(0), optional=True, on_fail=STOP)
    median_amount = MEDIAN_AMOUNT(at_least(0), optional=True, on_fail=STOP)
    largest_amount = LARGEST_AMOUNT(at_least(0), optional=True, on_fail=STOP)


@table(
    "gold.purchases_repeat_periods",
    built_from=[CustomerDaily, SellerDaily],
    refresh="nightly",
    clickhouse=Plain(order_by=("period_kind", "seller_id", "period_started_on")),
    rules=[
        RowRule(
            "not_more_than_ordered",
            "repeat_customer_count must not be more than active_customer_count",
            "repeat_customer_count <= active_customer_count",
            STOP,
        ),
        RowRule(
            "one_first_order_each",
            "returning_order_count must be known_order_count less new_customer_count",
            "returning_order_count = known_order_count - new_customer_count",
            STOP,
        ),
    ],
)
class RepeatPeriods:
    """One row per seller, and day, week, month or all time: how many customers ordered, and how many came again.

    The rows with an empty seller_id are those of all sellers together. An order is a purchase with at least one sold
    line, in whatever currency; who only returned something ordered nothing, and purchases without a customer are not
    looked at. The repeat purchase rate is the share of the customers of a period who ordered at least twice in it, as
    shop systems define it; an order comes from a returning customer where the customer has ordered before, in or before
    the period (Shopify's "returning customers"), so that all of a customer's orders but the first are returning ones.
    Only the past is looked at: a period that is over does not change when later days come.
    """

    period_kind = col(
        CODE,
        "day, week, month or all.",
        one_of((*PERIOD_KINDS, EVER), "day, week, month or all"),
        key=True,
        on_fail=STOP,
        differs="a repeat rate is also counted over all time",
    )
    period_started_on = PERIOD_STARTED_ON(note="all time begins with the first day with an order", key=True)
    seller_id = SELLER_ID(note="empty for all sellers together", key=True)
    active_customer_count = col(COUNT, "Known customers with at least one order.", at_least(1), on_fail=STOP)
    repeat_customer_count = col(COUNT, "Of these, customers with at least two.", at_least(0), on_fail=STOP)
    new_customer_count = col(COUNT, "Of these, customers whose first order it was.", at_least(0), on_fail=STOP)
    known_order_count = col(COUNT, "Orders of known customers.", at_least(1), on_fail=STOP)
    returning_order_count = col(
        COUNT, "Of these, orders by customers who had ordered before.", at_least(0), on_fail=STOP
    )
    repeat_rate_pct = col(
        NUMBER, "repeat_customer_count of active_customer_count, in percent.", at_least(0), at_most(100), on_fail=STOP
    )
    returning_order_pct = col(
        NUMBER, "returning_order_count of known_order_count, in percent.", at_least(0), at_most(100), on_fail=STOP
    )
    as_of_on = col(DAY, "The newest day with a sale or return in all data: a period that it lies in is not over yet.")
