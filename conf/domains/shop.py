"""The shop: extracts of its customers, and the files of products in the stage area."""

from __future__ import annotations

from pydantic import Field

from conf.settings import Settings


class ShopSettings(Settings):
    """The settings of the shop's extracts and files, beside all generic ones."""

    customers_overlap_seconds: float = Field(
        default=60.0, ge=0, description="How far before its mark an extract of customers looks, for clocks set back."
    )
    customers_gone_pct: float = Field(
        default=5.0, ge=0, le=100, description="Of known customers, how many may be gone in a full check, unsaid."
    )
    stage_file_mb: int = Field(default=512, ge=1, description="The largest file of products that is read.")
    stage_memory_mb: int = Field(
        default=2048, ge=512, description="Memory that reading a file of products may take; one that needs more is bad."
    )
    stage_kept_days: int = Field(
        default=365, ge=1, description="How long archived and refused files of products are kept."
    )
