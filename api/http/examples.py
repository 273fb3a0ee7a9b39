"""Examples for the OpenAPI document, made from the contracts: each keeps every rule."""

from __future__ import annotations

from typing import Any

from api.http.json_values import json_value
from schemas.contract import Contract
from schemas.derive.fakes import fake_event, fill


def event(contract: Contract, seller_id: str) -> dict[str, Any]:
    """An event as a producer sends it."""
    return fake_event(contract) | {"seller_id": seller_id, "purchased_at": "2026-01-31T09:30:00Z"}


def table_row(contract: Contract, columns: list[str]) -> dict[str, Any]:
    """Some columns of a table's row, as they are answered."""
    return {name: json_value(value) for name, value in fill(contract, {}).items() if name in columns}
