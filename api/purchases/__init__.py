"""Purchases: sending them, reading them, and what they add up to."""
