"""A process: a compiled release with what its parts share, its ids made unique among all processes.

Ids of lots, items, bids, awards and contracts are unique only within their release, so they bear its ocid. A tender
that names no lots is its own only lot: bids compete within it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ingestion.ocds.parties import TOGETHER, Parties
from ingestion.ocds.persons import Persons
from ingestion.ocds.shape import Json, Shape, text, texts, time
from ingestion.ocds.statuses import Statuses


@dataclass
class Process:
    """`lots` and `items` are by the ids that the release gives them; `own` makes ours of these."""

    release: Json
    statuses: Statuses
    persons: Persons
    shape: Shape
    ocid: str = field(init=False)
    changed_at: str = field(init=False)

    def __post_init__(self) -> None:
        release, shape = self.release, self.shape
        self.ocid = str(release["ocid"])
        self.changed_at = time(release["date"]) or ""
        self.parties = Parties(shape, self.persons)
        self.parties.read(release)
        self.planning, self.tender = shape.one(release, "planning"), shape.one(release, "tender")
        self.awards = list(shape.named(release, "awards"))
        self.contracts = list(shape.named(release, "contracts"))
        self.lots = dict(shape.named(self.tender, "lots"))
        self.items = self._items()
        self.organiser_id = self.parties.refer(shape.one(self.tender, "procuringEntity"), "procuringEntity")
        self.buyer_id = self.parties.refer(shape.one(release, "buyer"), "buyer") or self.organiser_id
        self.parties.together(shape.many(self.tender, "tenderers"))
        self.method = text(self.tender.get("procurementMethod"))

    def own(self, *ids: str) -> str:
        """An id that is unique among all processes."""
        return "/".join((self.ocid, *ids))

    @property
    def sole_lot(self) -> str | None:
        """The lot that all is for, where there is no choice."""
        if len(self.lots) == 1:
            return self.own(*self.lots)
        return self.ocid if self.tender and not self.lots else None

    def lots_of(self, told: Json) -> list[str]:
        """The lots that something names; the only one there is where it names none."""
        named = [self.own(lot) for lot in texts(told.get("relatedLots"))]
        return named or ([self.sole_lot] if self.sole_lot else [])

    def lot_of(self, item: Json) -> str | None:
        """The lot that an item belongs to."""
        lot = text(item.get("relatedLot"))
        return self.own(lot) if lot else self.sole_lot

    def buyer(self, told: Json | None = None) -> Json:
        """The buyer in an event's words; a contract may name its own."""
        named = self.shape.one(told, "buyer") if told else {}
        buyer_id = self.parties.refer(named, "buyer") or self.buyer_id
        return {"buyer_id": buyer_id, "buyer_code": self.parties.code(buyer_id)}

    def suppliers(self, told: list[Json], role: str) -> tuple[frozenset[str], Json]:
        """The ids of suppliers, and the supplier in an event's words: those that act together are one of their own."""
        ids = self.parties.together(told, role)
        if not ids:
            return frozenset(), {}
        supplier_id = TOGETHER.join(ids)
        return frozenset(ids), {"supplier_id": supplier_id, "supplier_biin": self.parties.code(supplier_id)}

    def status(self, stage: str, told: Any) -> str | None:
        """Our code of a status."""
        return self.statuses.code(stage, told)

    def _items(self) -> dict[str, Json]:
        """What is bought, by id: OCDS names an item alike from the plan to the contract, and the first tells most."""
        owners = [self.planning, self.tender, *(award for _, award in self.awards), *(c for _, c in self.contracts)]
        items: dict[str, Json] = {}
        for owner in owners:
            for item_id, item in self.shape.named(owner, "items"):
                items.setdefault(item_id, item)
        return items
