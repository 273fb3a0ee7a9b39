"""Purchases: one module a gold table."""
