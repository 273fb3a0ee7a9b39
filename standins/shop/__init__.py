"""The shop's own database and product files, filled from the simulated world."""
