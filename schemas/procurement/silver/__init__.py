"""Procurement, cleaned: named as in OCDS where it has a name."""
