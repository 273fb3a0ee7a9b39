"""Keyed hashes of what tells of a person: the same person has the same hash everywhere, and nobody can guess it."""

from __future__ import annotations

from schemas.rules import quoted


def hashed(secret: str, text: str) -> str:
    """The hash of a text, in Spark's SQL; null where the text is."""
    return f"concat('p', left(sha2(concat({quoted(secret)}, {text}), 256), 20))"
