"""The exchange rates that the National Bank of Kazakhstan publishes, made up."""
