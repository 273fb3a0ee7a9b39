"""What spreadsheets do to codes, as far as it can be known from the codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

LENGTHS = (8, 12, 13, 14)
"""Of the bar codes of GS1 (GTIN)."""
MOSTLY = 0.6


class CutZeros(NamedTuple):
    """How many codes lack the zeros that a bar code of the others' length would begin with."""

    codes: int
    example: str
    zeros: str


def cut_zeros(codes: Iterable[str]) -> CutZeros | None:
    """Codes that are bar codes only with zeros before them, where most others are bar codes as they stand."""
    digits = [code for code in map(str.strip, codes) if code.isascii() and code.isdigit() and len(code) <= 14]
    for length in LENGTHS[::-1]:
        sound = sum(1 for code in digits if len(code) == length and _is_sound(code))
        if len(digits) < 3 or sound < MOSTLY * len(digits) or any(len(d) == length and d[0] == "0" for d in digits):
            continue
        cut = [code for code in digits if length - 4 <= len(code) < length and _is_sound(code.zfill(length))]
        cut = [code for code in cut if len(code) not in LENGTHS or not _is_sound(code)] or cut
        if cut:
            return CutZeros(len(cut), cut[0], "0" * (length - len(cut[0])))
    return None


def _is_sound(code: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(code[:-1]), 1))
    return (10 - total % 10) % 10 == int(code[-1])
