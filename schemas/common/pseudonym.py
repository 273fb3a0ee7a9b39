"""Keyed hashes of what tells of a person: the same person has the same hash everywhere, and nobody can guess it."""

from __future__ import annotations

from hashlib import sha256

from schemas.contract.rules import quoted

LETTER, DIGITS = "p", 20
HASH = f"{LETTER}[0-9a-f]{{{DIGITS}}}"
"""What a hash looks like, as a regular expression."""


def hashed(secret: str, text: str) -> str:
    """The hash of a text, in Spark's SQL; null where the text is."""
    return f"concat({quoted(LETTER)}, left(sha2(concat({quoted(secret)}, {text}), 256), {DIGITS}))"


def hash_of(secret: str, text: str) -> str:
    """The same, in Python."""
    return LETTER + sha256((secret + text).encode()).hexdigest()[:DIGITS]
