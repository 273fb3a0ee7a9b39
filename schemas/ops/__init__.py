"""Contracts that every domain shares: what came in, what was refused, what ran."""
