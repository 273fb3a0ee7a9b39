"""Exchange rates: what units of one currency cost in another, as those who publish them say, day by day."""

TOPIC = "rates"
EXCHANGE_RATE = "sauda.rates.exchange_rate"
"""The event type: one rate of one day."""
STAND_IN = "stand-in"
"""The source of rates that are made up: they hold only while there are none of another source."""
