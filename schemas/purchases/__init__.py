"""Shop purchases: events, silver and gold."""
