"""The bank that publishes exchange rates."""
