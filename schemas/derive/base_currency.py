"""The base currency in ClickHouse: a view of one row, so that no other view is written anew where it changes."""

from __future__ import annotations

from schemas.contract.rules import quoted

NAME = "silver.base_currency"


def view(currency: str, rate_days: int) -> str:
    """The statement that makes the view, as its file does with the defaults."""
    values = f"{quoted(currency)} AS base_currency_code, toInt64({rate_days}) AS rate_days"
    return f"CREATE OR REPLACE VIEW {NAME} AS\nSELECT {values}"
