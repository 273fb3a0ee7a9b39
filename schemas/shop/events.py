"""The topic of changes in the shop's database.

An event is written by the database itself, in the transaction that changes the row (`infra/postgres/migrations/`). It
carries the row without its personal columns: a topic and bronze are copies in which nobody can be forgotten.
"""

from schemas.common.envelope import Raw, Refused
from schemas.contract import feed, table
from schemas.shop import TOPIC

KINDS = ("customer", "product", "seller")
CHANGED = tuple(f"shop.{kind}.{action}" for kind in KINDS for action in ("changed", "deleted"))


@feed(topic=TOPIC, partitions=1)
class ShopRows:
    """Changed and deleted rows of the shop's database, one event a change; the event's type names entity and action."""


@table("bronze.shop", refresh="stream", built_from=[ShopRows])
class ShopRaw(Raw):
    """One row per record of the topic shop-changes, untouched."""


@table("quarantine.shop", refresh="stream", built_from=[ShopRaw])
class ShopRefused(Refused):
    """One row per refused change of the shop's database."""
