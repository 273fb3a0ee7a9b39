"""Exchange rates: the service from which they are fetched."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from conf.settings import LOOPBACK, Settings


class RatesSettings(Settings):
    """The settings of fetching rates, beside all generic ones."""

    rates_url: str = Field(default="https://nationalbank.kz/rss/get_rates.cfm", pattern=r"^https?://[^?#@\s]+$")
    rates_timeout_seconds: float = Field(default=30.0, gt=0)

    def standin_values(self) -> dict[str, Any]:
        # One stand-in plays several services.
        return {"rates_url": f"http://{LOOPBACK}:{self.port('goszakup_standin')}/rss/get_rates.cfm"}
