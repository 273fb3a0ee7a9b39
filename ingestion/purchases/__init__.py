"""Purchases from files of any layout."""
