"""Examples for the OpenAPI document, made from the contracts: each keeps every rule."""

from __future__ import annotations

from typing import Any

from api.shop.entities import DEFAULTS, Entity, masked, written
from schemas.contract import Contract
from schemas.derive.fakes import fake_event, fill

WORDS: dict[str, Any] = {
    "seller_id": "almaly-market", "product_id": "P0001", "customer_id": "C00001", "name": "Aigul green tea, small",
    "category_name": "tea", "price_amount": "950.0000", "currency_code": "KZT", "city_name": "Almaty",
    "email": "aigul@example.kz", "phone": "+77011234567", "address": "Abai 1",
    "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z",
} | DEFAULTS  # fmt: skip


def row(entity: Entity, *, kept: bool = False) -> dict[str, Any]:
    """A row as a client writes it; `kept` is as it is answered, with what tells of a person masked."""
    columns = entity.contract.columns if kept else entity.written
    made = {c.name: WORDS[c.name] if c.name in WORDS else written(fill(entity.contract, {})[c.name]) for c in columns}
    if not kept:
        return made
    return made | {c.name: masked(c, made[c.name]) for c in columns if c.personal}


def event(contract: Contract, seller_id: str) -> dict[str, Any]:
    """An event as a producer sends it."""
    return fake_event(contract) | {"seller_id": seller_id, "purchased_at": "2026-01-31T09:30:00Z"}


def table_row(contract: Contract, columns: list[str]) -> dict[str, Any]:
    """Some columns of a table's row, as they are answered."""
    return {name: written(value) for name, value in fill(contract, {}).items() if name in columns}
