"""Procurement: what the fields of its registers are compared with."""
