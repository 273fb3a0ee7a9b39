"""The fields of the registers, as the table of fields knows them."""

from __future__ import annotations

from jobs.core.field_catalog import FieldCatalog, Register, watches_fields
from schemas.contract import contract
from schemas.procurement.endpoints import ENDPOINTS
from schemas.procurement.events import ProcurementRaw

CATALOG = watches_fields(
    FieldCatalog(
        bronze=contract(ProcurementRaw),
        file="schemas/procurement/fields.py",
        registers={
            endpoint.name: Register(endpoint.event_type, tuple(endpoint.fields), frozenset(endpoint.known_fields))
            for endpoint in ENDPOINTS
            if endpoint.event_type
        },
    )
)
