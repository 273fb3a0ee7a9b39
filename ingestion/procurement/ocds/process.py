"""A process: a compiled release with what its parts share, its ids made unique among all processes.

Ids of lots, items, bids, awards and contracts are unique only within their release, so they bear its ocid. Lots are
those that the tender names: of one without lots all is for the tender as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ingestion.procurement.ocds.parties import TOGETHER, Parties
from ingestion.procurement.ocds.persons import Persons
from ingestion.procurement.ocds.shape import Json, Shape, text, texts, time
from ingestion.procurement.ocds.statuses import Statuses


@dataclass
class Process:
    """`lots`, `items`, `bids` and `awards` are by the ids that the release gives them; `own` makes ours of these.

    `changed_at` is empty where no release has a date.
    """

    release: Json
    statuses: Statuses
    persons: Persons
    shape: Shape
    ocid: str = field(init=False)
    changed_at: str = field(init=False)

    def __post_init__(self) -> None:
        release, shape = self.release, self.shape
        self.ocid = str(release["ocid"])
        self.changed_at = time(release.get("date")) or ""
        self.planning, self.tender = shape.one(release, "planning"), shape.one(release, "tender")
        self.awards = dict(shape.named(release, "awards"))
        self.award_statuses = {name: self.status("award", node.get("status")) for name, node in self.awards.items()}
        self.contracts = dict(shape.named(release, "contracts"))
        self.lots = dict(shape.named(self.tender, "lots"))
        self.bids = dict(shape.named(shape.one(release, "bids"), "details"))
        self.items = self._items()
        self.parties = Parties(shape, self.persons, self.ocid)
        self.parties.read(release, self._acting())
        self.organiser_id = self.parties.refer(shape.one(self.tender, "procuringEntity"), "procuringEntity")
        self.buyer_id = self.parties.refer(shape.one(release, "buyer"), "buyer") or self.organiser_id
        self.tenderer_ids = self.parties.together(shape.many(self.tender, "tenderers"), "tenderer")
        self.method = text(self.tender.get("procurementMethod"))

    def own(self, *ids: str) -> str:
        """An id that is unique among all processes."""
        return "/".join((self.ocid, *ids))

    def lots_of(self, node: Json) -> list[str]:
        """The lots that something names, itself or by its items; the only one there is where it names none."""
        named = texts(node.get("relatedLots")) or texts(node.get("relatedLot"))
        if not named and (items := node.get("items")):
            within = [lot for item in items if isinstance(item, dict) for lot in texts(item.get("relatedLot"))]
            named = list(dict.fromkeys(within))
        return [self.own(lot) for lot in named or (self.lots if len(self.lots) == 1 else ())]

    def lot_of(self, item: Json) -> str | None:
        """The lot that an item belongs to."""
        lots = self.lots_of(item)
        return lots[0] if len(lots) == 1 else None

    def bids_of(self, award: Json) -> list[str]:
        """The bids that an award names."""
        return [bid for name in ("relatedBid", "relatedBids") for bid in texts(award.get(name)) if bid in self.bids]

    def lots_of_award(self, award: Json) -> list[str]:
        """The lots that an award names, itself, by its items or by its bids."""
        if texts(award.get("relatedLots")) or not (bids := self.bids_of(award)):
            return self.lots_of(award)
        own = self.lots_of(award)
        return own or list(dict.fromkeys(lot for bid in bids for lot in self.lots_of(self.bids[bid])))

    def suppliers_of_award(self, award: Json, role: str = "") -> tuple[list[str], Json]:
        """An award's suppliers; where it names none, those of the bids that it names."""
        candidates = self.suppliers(self.shape.many(award, "suppliers"), role)
        if candidates[0]:
            return candidates
        bidders = [node for bid in self.bids_of(award) for node in self.shape.many(self.bids[bid], "tenderers")]
        return self.suppliers(bidders, role)

    def buyer(self, node: Json | None = None) -> Json:
        """The buyer in an event's words; a contract may name its own."""
        named = self.shape.one(node, "buyer") if node else {}
        buyer_id = self.parties.refer(named, "buyer") or self.buyer_id
        return {"buyer_id": buyer_id, "buyer_code": self.parties.code(buyer_id)}

    def suppliers(self, node: list[Json], role: str) -> tuple[list[str], Json]:
        """The ids of suppliers, and the supplier in an event's words: those that act together are one of their own."""
        ids = self.parties.together(node, role)
        return ids, self.acting(ids)

    def acting(self, ids: list[str]) -> Json:
        """The supplier that these parties are together, in an event's words."""
        supplier_id = TOGETHER.join(ids)
        return {"supplier_id": supplier_id, "supplier_biin": self.parties.code(supplier_id)} if ids else {}

    def is_made(self, award: str) -> bool:
        """Whether an award was made and holds: many publishers tell of those and nothing else, without a status."""
        return (self.award_statuses[award] or "active") == "active"

    def status(self, stage: str, node: Any) -> str | None:
        """Our code of a status."""
        return self.statuses.code(stage, node)

    def _items(self) -> dict[str, Json]:
        """What is bought, by id: OCDS names an item alike from the plan to the contract, and the first tells most."""
        owners = [self.planning, self.tender, *self.awards.values(), *self.contracts.values()]
        items: dict[str, Json] = {}
        for owner in owners:
            for item_id, item in self.shape.named(owner, "items"):
                items.setdefault(item_id, item)
        return items

    def _acting(self) -> list[Json]:
        """The organisations wherever they act."""
        quiet = Shape()
        candidates = [quiet.one(self.release, "buyer"), quiet.one(self.tender, "procuringEntity")]
        candidates += quiet.many(self.tender, "tenderers")
        for bid in self.bids.values():
            candidates += quiet.many(bid, "tenderers")
        for award in self.awards.values():
            candidates += quiet.many(award, "suppliers")
        for contract in self.contracts.values():
            candidates += [*quiet.many(contract, "suppliers"), quiet.one(contract, "buyer")]
            for paid in quiet.many(quiet.one(contract, "implementation"), "transactions"):
                candidates += [quiet.one(paid, "payee"), quiet.one(paid, "payer")]
        return candidates
