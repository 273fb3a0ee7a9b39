"""Exchange rates, as their silver table says. Few, and published daily, so there is no live lane."""

from schemas.rates.events import RateRows
from streaming.core.registry import maps

maps(RateRows)
