"""Exchange rates: what units of one currency cost in another, as those who publish them say, day by day."""

TOPIC = "rates"
EXCHANGE_RATE = "sauda.rates.exchange_rate"
"""The event type: one rate of one day."""
