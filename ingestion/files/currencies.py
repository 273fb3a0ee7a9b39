"""Currencies as people write them: signs, abbreviations and codes."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from schemas.common.currencies import CURRENCIES

# A sign that several countries use names no currency by itself, so it contradicts none of them.
SIGNS = {
    "€": "EUR", "£": "GBP", "₸": "KZT", "₽": "RUB", "₴": "UAH", "₺": "TRY", "₾": "GEL", "₼": "AZN", "֏": "AMD",
    "₩": "KRW", "₹": "INR", "₫": "VND", "฿": "THB", "₪": "ILS", "⃀": "KGS", "$": "", "¥": "", "₦": "", "₱": "",
}  # fmt: skip
WORDS = {
    "тг": "KZT", "тнг": "KZT", "тенге": "KZT", "теңге": "KZT", "tenge": "KZT", "tg": "KZT", "руб": "RUB", "р": "RUB",
    "рубль": "RUB", "рублей": "RUB", "грн": "UAH", "сом": "KGS", "сум": "UZS", "сўм": "UZS", "so'm": "UZS",
    "бел руб": "BYN", "евро": "EUR", "euro": "EUR", "долл": "USD", "доллар": "USD", "us$": "USD", "zł": "PLN",
    "zl": "PLN", "kč": "CZK", "ft": "HUF", "lei": "RON", "лв": "BGN", "fr": "CHF", "sfr": "CHF", "r$": "BRL",
    "a$": "AUD", "c$": "CAD", "ca$": "CAD", "nz$": "NZD", "hk$": "HKD", "s$": "SGD", "rs": "INR", "rm": "MYR",
    "rp": "IDR", "tl": "TRY", "kr": "", "dh": "",
}  # fmt: skip


@lru_cache(maxsize=4_096)
def currency_of(text: str) -> str | None:
    """The code of ISO 4217 that a sign, an abbreviation or a code names; "" for one that several currencies share.

    None where it is no currency.
    """
    text = text.strip()
    if text in SIGNS:
        return SIGNS[text]
    word = text.casefold().rstrip(".").strip()
    if word.upper() in CURRENCIES:
        return word.upper()
    if word in WORDS:
        return WORDS[word]
    return "" if len(text) == 1 and unicodedata.category(text) == "Sc" else None
