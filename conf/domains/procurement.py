"""Public procurement: its registers, and the service goszakup from which they are collected."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, SecretStr

from conf.addresses import Address, page
from conf.settings import LOOPBACK, Settings, port


class ProcurementSettings(Settings):
    """The settings of collecting procurement, beside all generic ones."""

    secret_names: ClassVar[tuple[str, ...]] = ("goszakup_standin",)

    procurement_zone: str = Field(
        default="Asia/Almaty", description="Zone of the times in procurement registers that name none."
    )
    goszakup_url: str = Field(default="https://ows.goszakup.gov.kz", pattern=r"^https?://[^/?#@\s]+$")
    goszakup_collection: str = Field(
        default="goszakup", pattern=r"^[a-z][a-z0-9_]{0,30}$", description="Under which name its rows are kept."
    )
    goszakup_token: SecretStr | None = None
    goszakup_token_file: Path | None = Field(default=None, description="Holds the token, where it is not set itself.")
    goszakup_ca_bundle: Path | None = Field(default=None, description="Certificates to trust instead of the usual.")
    goszakup_requests_per_second: float = Field(default=5.0, gt=0, description="At most; the service may make it less.")
    goszakup_concurrency: int = Field(default=4, ge=1, le=64)
    goszakup_delay_seconds: float = Field(default=0.0, ge=0, description="Between two pages of one register.")
    goszakup_timeout_seconds: float = Field(default=30.0, gt=0)
    goszakup_standin_lots: int = Field(default=1_000, ge=200, description="How large a world the stand-in plays.")
    goszakup_page_limit: int = Field(default=500, ge=1, le=500)
    goszakup_standin_port: int | None = port(9120)

    @property
    def goszakup_secret(self) -> str:
        """The token of goszakup, from the environment or its file; empty where there is none. Raises OSError."""
        if self.goszakup_token:
            return self.goszakup_token.get_secret_value().strip()
        return self.goszakup_token_file.read_text().strip() if self.goszakup_token_file else ""

    def standin_values(self) -> dict[str, Any]:
        return {
            "goszakup_url": f"http://{LOOPBACK}:{self.port('goszakup_standin')}",
            "goszakup_collection": "goszakup_standin",
            "goszakup_token": SecretStr(self.secret("goszakup_standin")),
            "goszakup_requests_per_second": 10_000.0,
            "goszakup_delay_seconds": 0.0,
        }

    def time_zone(self) -> str:
        return self.procurement_zone

    def domain_addresses(self) -> list[Address]:
        title = "Stand-in of goszakup (a token as user)"
        return [Address("standin", title, page(self, "goszakup_standin"), "", "", "goszakup_standin")]
