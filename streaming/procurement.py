"""Procurement: rows of registers, as their silver tables say. Collected daily, so there is no live lane."""

from schemas.procurement.events import ProcurementRows
from streaming.core.registry import maps

# An IIN, of a person: its fifth digit begins the day of birth. In a BIN, of a company, it is 4, 5 or 6.
IIN = "[0-9]{4}[0-3][0-9]{7}"

maps(ProcurementRows, person_code=IIN)
