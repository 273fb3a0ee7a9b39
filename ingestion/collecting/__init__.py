"""Collecting from an API page by page: what every client needs."""
