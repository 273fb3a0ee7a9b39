"""Examples of the shop's rows for the OpenAPI document, made from the contracts: each keeps every rule."""

from __future__ import annotations

from typing import Any

from api.http.json_values import json_value
from api.shop.entities import DEFAULTS, Entity, masked
from schemas.derive.fakes import fill

WORDS: dict[str, Any] = {
    "seller_id": "almaly-market", "product_id": "P0001", "customer_id": "C00001", "name": "Aigul green tea, small",
    "category_name": "tea", "price_amount": "950.0000", "currency_code": "KZT", "city_name": "Almaty",
    "email": "aigul@example.kz", "phone": "+77011234567", "address": "Abai 1",
    "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z",
} | DEFAULTS  # fmt: skip


def row(entity: Entity, *, kept: bool = False) -> dict[str, Any]:
    """A row as a client writes it; `kept` is as it is answered, with personal columns masked."""
    columns = entity.contract.columns if kept else entity.written
    example = {c.name: WORDS[c.name] if c.name in WORDS else _fake(entity, c.name) for c in columns}
    if not kept:
        return example
    return example | {c.name: masked(c, example[c.name]) for c in columns if c.personal}


def _fake(entity: Entity, name: str) -> Any:
    return json_value(fill(entity.contract, {})[name])
