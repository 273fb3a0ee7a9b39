"""The topic of exchange rates."""

from schemas.common.envelope import Raw, Refused
from schemas.contract import feed, table
from schemas.rates import TOPIC


@feed(topic=TOPIC, partitions=1)
class RateRows:
    """Exchange rates, one event a currency and day."""


@table("bronze.rates", refresh="stream", built_from=[RateRows])
class RatesRaw(Raw):
    """One row per record of the topic rates, untouched."""


@table("quarantine.rates", refresh="stream", built_from=[RatesRaw])
class RatesRefused(Refused):
    """One row per refused exchange rate."""
