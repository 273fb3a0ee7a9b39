"""Exchange rates, cleaned."""

from schemas.common.columns import CHANGED_AT, LINE_NO, SOURCE
from schemas.common.envelope import Envelope
from schemas.contract import Replacing, col, table
from schemas.contract.types import CODE, DAY, RATE
from schemas.rates import EXCHANGE_RATE
from schemas.rates.events import RatesRaw


@table(
    "silver.exchange_rates",
    refresh="stream",
    built_from=[RatesRaw],
    clickhouse=Replacing(
        order_by=("base_currency_code", "currency_code", "quoted_on", "event_id", "line_no"),
        version="arrival",
        dedup_window=20_000,
    ),
    fed_by=[EXCHANGE_RATE],
)
class ExchangeRates(Envelope):
    """One row per published exchange rate: currency, base, day, and when it was published.

    Where a day is published again, the later holds: `silver.exchange_rates_latest` has these.
    """

    line_no = LINE_NO(note="always 0", key=True)
    base_currency_code = col(
        CODE,
        "Currency in which the rate is given, ISO 4217.",
        source_fields="base_currency_code",
        differs="the base of one rate; reports have one base currency",
    )
    currency_code = col(
        CODE,
        "Currency whose rate it is, ISO 4217.",
        source_fields="currency_code",
        differs="a rate has two currencies and no amount",
    )
    quoted_on = col(DAY, "Day for which the rate is official.", source_fields="quoted_on")
    rate = col(RATE, "What `quantity` units of the currency cost in the base currency.", source_fields="rate")
    quantity = col(
        RATE,
        "For how many units of the currency the rate is given, such as 1 or 100.",
        source_fields="quantity =1",
        differs="a rate may be quoted for a fraction of a unit",
    )
    changed_at = CHANGED_AT(
        note="when it was published to us; of a day's rates the later holds", source_fields="@ce_time"
    )
    source = SOURCE(note="the service or file that published it", optional=True, source_fields="source @ce_source")
