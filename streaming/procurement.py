"""Procurement: rows of registers, as their silver tables say. Collected daily, so there is no live lane."""

from __future__ import annotations

from schemas.contract import contract, tables
from schemas.procurement.events import ProcurementRaw, ProcurementRefused, ProcurementRows
from streaming.core.field_mapping import branch
from streaming.core.registry import Domain, register

register(
    Domain(
        contract(ProcurementRows),
        contract(ProcurementRaw),
        contract(ProcurementRefused),
        tuple(branch(silver) for silver in tables("silver", "procurement")),
        is_live=False,
    )
)
