"""The shop: changes of its database, as their silver table says. The entities themselves come by way of the stage."""

from schemas.shop.events import ShopRows
from streaming.core.registry import maps

maps(ShopRows)
