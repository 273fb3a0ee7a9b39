"""The National Bank of Kazakhstan's rates, made up: the same ones for a day wherever and whenever they are asked for.

Rates are published for working days, so weekends show that the last one holds.
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, date, datetime
from decimal import Decimal

# Tenge for so many units, about which the rates swing.
CENTRES = {
    "AED": ("138.9", 1), "AMD": ("13.1", 10), "AZN": ("300", 1), "BYN": ("158", 1), "CHF": ("590", 1),
    "CNY": ("71.3", 1), "EUR": ("560", 1), "GBP": ("655", 1), "GEL": ("188", 1), "JPY": ("3.4", 1),
    "KGS": ("5.85", 1), "KRW": ("37.2", 100), "RUB": ("5.6", 1), "TJS": ("47.5", 1), "TRY": ("14.9", 1),
    "UAH": ("12.2", 1), "USD": ("510", 1), "UZS": ("4.1", 100),
}  # fmt: skip
SWING, NOISE = 0.02, 0.004
FRIDAY = 4


def document(day: str) -> str:
    """The XML of a day that is named as dd.mm.yyyy. Raises ValueError for what is no day."""
    on = datetime.strptime(day, "%d.%m.%Y").replace(tzinfo=UTC).date()
    items = "" if on.weekday() > FRIDAY else "".join(_item(code, on) for code in sorted(CENTRES))
    return f'<?xml version="1.0" encoding="utf-8"?>\n<rates><date>{on:%d.%m.%Y}</date>{items}</rates>'


def rate(code: str, on: date) -> Decimal:
    """A currency's rate of a day, with two digits after the point."""
    centre = CENTRES[code][0]
    place = int.from_bytes(hashlib.sha256(f"{code} {on}".encode()).digest()[:4], "big") / 2**32
    wave = math.sin(on.toordinal() / 29 + len(CENTRES) * ord(code[0]))
    return (Decimal(centre) * Decimal(f"{1 + SWING * wave + NOISE * (place - 0.5):.5f}")).quantize(Decimal("0.01"))


def _item(code: str, on: date) -> str:
    quantity = CENTRES[code][1]
    return f"<item><title>{code}</title><description>{rate(code, on)}</description><quant>{quantity}</quant></item>"
