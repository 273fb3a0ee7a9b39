"""Exchange rates, as their silver table says. Few, and published daily, so there is no live lane."""

from __future__ import annotations

from schemas.contract import contract
from schemas.rates.events import ExchangeRates, RateRows, RatesRaw, RatesRefused
from streaming.core.field_mapping import branch
from streaming.core.registry import Domain, register

register(
    Domain(
        contract(RateRows), contract(RatesRaw), contract(RatesRefused), (branch(contract(ExchangeRates)),),
        is_live=False,
    )
)  # fmt: skip
