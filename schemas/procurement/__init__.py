"""Public procurement: what the state register of Kazakhstan publishes, as contracts."""

TOPIC = "procurement-events"
COLLECTION = "goszakup"
STANDIN_COLLECTION = "goszakup_standin"
"""What is collected from the stand-in."""
