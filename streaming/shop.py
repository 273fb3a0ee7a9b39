"""The shop: changes of its database, as their silver table says. The entities themselves come by way of the stage."""

from __future__ import annotations

from schemas.contract import contract
from schemas.shop.events import ShopChanges, ShopRaw, ShopRefused, ShopRows
from streaming.core.field_mapping import branch
from streaming.core.registry import Domain, register

register(
    Domain(
        contract(ShopRows), contract(ShopRaw), contract(ShopRefused), (branch(contract(ShopChanges)),), is_live=False
    )
)
