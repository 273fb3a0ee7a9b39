"""In what a live table of PostgreSQL differs from its contract."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.contract import find
from schemas.derive.postgres import columns, differences

PRODUCTS = find("shop.products")
LIVE = [{"name": n, "type": t, "is_optional": o} for n, (t, o) in columns(PRODUCTS).items()]
KEYS: list[dict[str, Any]] = [
    {"kind": "p", "other": "-", "columns": ["product_id"]},
    {"kind": "f", "other": "shop.sellers", "columns": ["seller_id"]},
]


def live(**changes: Any) -> list[dict[str, Any]]:
    return [row | changes.get(row["name"], {}) for row in LIVE if changes.get(row["name"], {}) is not None]


def test_types_are_spelled_as_the_server_spells_them() -> None:
    assert columns(PRODUCTS)["price_amount"] == ("numeric(18,4)", False)
    assert columns(PRODUCTS)["category_name"] == ("text", True)
    assert columns(PRODUCTS)["updated_at"] == ("timestamp with time zone", False)


def test_what_is_as_declared_differs_in_nothing() -> None:
    assert differences(PRODUCTS, reversed(LIVE), KEYS) == []


@pytest.mark.parametrize(
    ("rows", "keys", "sentence"),
    [
        (live(name=None), KEYS, "shop.products has no column name"),
        ([*LIVE, {"name": "x", "type": "text", "is_optional": True}], KEYS,
         "shop.products has a column x that the contract does not declare"),
        (live(price_amount={"type": "double precision"}), KEYS,
         "shop.products.price_amount is double precision not null, the contract declares numeric(18,4) not null"),
        (live(name={"is_optional": True}), KEYS,
         "shop.products.name is text null, the contract declares text not null"),
        (LIVE, KEYS[:1], "shop.products.seller_id does not refer to shop.sellers"),
        (LIVE, KEYS[1:], "shop.products has the primary key (), not (product_id)"),
        (LIVE, [*KEYS, {"kind": "f", "other": "shop.x", "columns": ["name"]}], "shop.products.name refers to shop.x"),
    ],
)  # fmt: skip
def test_a_difference_is_a_sentence(rows: list[dict[str, Any]], keys: list[dict[str, Any]], sentence: str) -> None:
    assert differences(PRODUCTS, rows, keys) == [sentence]
