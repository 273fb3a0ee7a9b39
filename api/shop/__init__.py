"""Sellers, products and customers."""
