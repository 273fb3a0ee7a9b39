"""Purchases, cleaned."""

from schemas.common.columns import CURRENCY_CODE, CUSTOMER_ID, LINE_NO, PRODUCT_ID, SELLER_ID, SOURCE
from schemas.common.envelope import Envelope
from schemas.contract import Replacing, col, like, table
from schemas.contract.types import COUNT, DAY, FLAG, ID, INSTANT, MONEY, TEXT
from schemas.purchases.columns import PURCHASE_ID, PURCHASED_AT, QUANTITY, SOLD_ON
from schemas.purchases.events import PurchasesRaw


@table(
    "silver.purchase_corrections",
    refresh="stream",
    built_from=[PurchasesRaw],
    clickhouse=Replacing(order_by=("seller_id", "purchase_id", "event_id"), version="arrival", dedup_window=20_000),
)
class PurchaseCorrections(Envelope):
    """One row per accepted purchase event that no longer holds, as a later one of its seller has its number.

    A return is a document of its own: it never supersedes a purchase of its number, nor is it superseded by one.
    """

    seller_id = SELLER_ID(key=True)
    purchase_id = PURCHASE_ID(note="both events bear it", key=True)
    is_return_document = col(FLAG, "Whether both are returns: the quantities of all their lines are below zero.")
    sold_on = SOLD_ON(note="as the superseded event had it")
    source = SOURCE(note="of the superseded event", optional=True)
    arrival = col(
        COUNT,
        "Greater for an earlier successor (as in silver.purchase_lines, of the event that came next): "
        "ClickHouse keeps the first.",
        differs="of several events that supersede one, the earlier counts",
    )
    superseded_by_event_id = col(ID, "The event that came next under the number, by the broker's time.")
    superseded_at = col(INSTANT, "When the broker took that event.")
    superseded_by_partition = col(COUNT, "Partition of that event.")
    superseded_by_offset = col(COUNT, "Offset of that event in its partition.")
    superseded_by_sold_on = col(DAY, "Day of the purchase, UTC, as that event has it.")
    superseded_by_source = col(TEXT, "Where the producer took that event from.", optional=True)


@table(
    "silver.purchase_lines",
    refresh="stream",
    built_from=[PurchasesRaw],
    superseded_by=PurchaseCorrections,
    sort_by=("sold_on", "seller_id"),
    clickhouse=Replacing(
        order_by=("sold_on", "seller_id", "event_id", "line_no"),
        partition="toYYYYMM(sold_on)",
        version="arrival",
        dedup_window=20_000,
    ),
)
class PurchaseLines(Envelope):
    """One row per line of an accepted purchase event, those that a correction has superseded among them."""

    event_id = like(PurchaseCorrections.event_id, key=True, lookup=True)
    line_no = LINE_NO(note="each purchase has one line 0", key=True)
    purchase_id = PURCHASE_ID(lookup=True)
    purchased_at = PURCHASED_AT()
    sold_on = SOLD_ON()
    seller_id = SELLER_ID()
    customer_id = CUSTOMER_ID(note="empty where not known", optional=True)
    currency_code = CURRENCY_CODE()
    product_id = PRODUCT_ID()
    description = col(TEXT, "Name of the product as sold.", optional=True)
    quantity = QUANTITY()
    unit_price_amount = col(MONEY, "Price of one piece.")
    line_amount = col(MONEY, "Quantity times unit price; negative for a return.")
    line_units = col(
        COUNT, "line_amount in ten-thousandths: sums of whole numbers stay on Spark's fast path.", serving=False
    )
    is_return = col(FLAG, "Whether the line is a return (quantity below zero).")
    source = SOURCE(optional=True)
