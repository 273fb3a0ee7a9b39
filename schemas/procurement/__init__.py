"""Public procurement: what the state register of Kazakhstan publishes, as contracts."""

TOPIC = "procurement-events"
COLLECTION = "goszakup"
