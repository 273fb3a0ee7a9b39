"""The gates before a table is published."""
