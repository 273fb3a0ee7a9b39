"""Contracts: what every event and table is. Standard library only; nothing else of ours is imported here."""
