"""Events of what is planned, tendered, offered and awarded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingestion.procurement.ocds.process import Process
from ingestion.procurement.ocds.shape import Event, Json, text, time
from ingestion.procurement.ocds.statuses import WINNER

SUBJECTS = {"goods": "1", "works": "2", "services": "3"}
NOT_COMPETING = {"invited", "disqualified", "withdrawn"}


def planned(process: Process) -> Iterator[Event]:
    """The plan as a whole, and each item that is bought: what the register keeps as points of a plan."""
    shape = process.shape
    shared = process.buyer() | {"method_code": process.method, "changed_at": process.changed_at}
    shared["subject_code"] = _subject(process)
    budget = shape.one(process.planning, "budget")
    if budget:
        amount, currency = shape.money(budget, "amount")
        value = shared | {
            "planning_item_id": process.ocid,
            "name": shape.words(budget, "description") or shape.words(budget, "project"),
            "description": shape.words(process.planning, "rationale"),
            "total_amount": amount,
            "currency_code": currency,
        }
        yield Event("ocds.planning_item", process.ocid, value)
    for item, node in process.items.items():
        unit, classified = shape.one(node, "unit"), shape.one(node, "classification")
        amount, currency = shape.money(unit)
        value = shared | {
            "planning_item_id": process.own(item),
            "name": shape.words(node, "description") or shape.words(classified, "description"),
            "enstru_code": text(classified.get("id")),
            "unit_code": text(unit.get("id")) or text(unit.get("name")),
            "quantity": text(node.get("quantity")),
            "unit_amount": amount,
            "currency_code": currency,
        }
        yield Event("ocds.planning_item", process.own(item), value)


def tendered(process: Process) -> Iterator[Event]:
    """The tender and the lots that it names."""
    shape, tender = process.shape, process.tender
    if not tender:
        return
    amount, currency = shape.money(tender)
    period = shape.one(tender, "tenderPeriod")
    awarded = [node for award in process.awards.values() if (node := time(award.get("date")))]
    described: Json = {
        "tender_id": process.ocid,
        "number": text(tender.get("id")),
        "name": shape.words(tender, "title") or shape.words(tender, "description"),
        "status_code": process.status("tender", tender.get("status")),
        "method_code": process.method,
        "total_amount": amount,
        "currency_code": currency,
        "changed_at": process.changed_at,
    }
    whole = {
        "organiser_id": process.organiser_id,
        "organiser_code": process.parties.code(process.organiser_id),
        "buyer_code": process.buyer()["buyer_code"],
        "subject_code": _subject(process),
        "lot_count": len(process.lots) or None,
        "tenderer_ids": process.tenderer_ids,
        "tenderer_count": text(tender.get("numberOfTenderers")),
        "published_at": time(tender.get("datePublished")),
        "started_at": time(period.get("startDate")),
        "ended_at": time(period.get("endDate")),
        "awarded_at": min(awarded, default=None),
    }
    yield Event("ocds.tender", process.ocid, described | whole)
    described |= process.buyer() | {"tender_number": described["number"]}
    for lot, of_lot in process.lots.items():
        amount, currency = shape.money(of_lot)
        own = {
            "number": lot,
            "name": shape.words(of_lot, "title"),
            "description": shape.words(of_lot, "description"),
            "status_code": process.status("tender", of_lot.get("status")),
            "total_amount": amount,
            "currency_code": currency,
        }
        yield _lot(process, process.own(lot), described | own)


def _lot(process: Process, lot_id: str, value: Json) -> Event:
    items = {item: node for item, node in process.items.items() if process.lot_of(node) == lot_id}
    quantities = [text(node.get("quantity")) for node in items.values()]
    of_items = {
        "lot_id": lot_id,
        "planning_item_ids": [process.own(item) for item in items],
        # Of several items the quantities are of different things.
        "quantity": quantities[0] if len(quantities) == 1 else None,
    }
    return Event("ocds.lot", lot_id, value | of_items)


def _subject(process: Process) -> str | None:
    category = text(process.tender.get("mainProcurementCategory"))
    return SUBJECTS.get(category, category) if category else None


@dataclass(frozen=True, slots=True)
class _Bid:
    bid_id: str
    node: Json
    suppliers: list[str]
    supplier: Json
    lots: list[str]
    amount: str | None
    currency: str
    status: str | None

    @property
    def places(self) -> list[str | None]:
        """Its lots; none, once, where it is for the tender as a whole."""
        return [*self.lots] or [None]


def offered(process: Process) -> Iterator[Event]:
    """The bids of the bids extension: one event a bid, one row in it a lot.

    A bid that names no lot where there is not just one is one for the tender as a whole. The sum of a bid for several
    lots is for all of them together and no lot's own, so it is left out, and counted.
    """
    bids = list(_bids(process))
    won = _winners(process, bids)
    for bid in bids:
        application = process.own(bid.bid_id)
        lots = bid.places
        rows = [
            {
                "id": "/".join([application, *([lot.removeprefix(f"{process.ocid}/")] if lot and lots[1:] else [])]),
                "lot_id": lot,
                "amount": bid.amount if len(lots) == 1 else None,
                "status_id": process.status("bid", WINNER) if (bid.bid_id, lot) in won else bid.status,
            }
            for lot in lots
        ]
        if len(lots) > 1 and bid.amount:
            process.shape.odd["sums of bids for several lots"] += 1
        value = {
            "application_id": application,
            "tender_id": process.ocid,
            "currency_code": bid.currency,
            "submitted_at": time(bid.node.get("date")),
            "changed_at": process.changed_at,
            "app_lots": [{name: part for name, part in row.items() if part is not None} for row in rows],
        }
        yield Event("ocds.bid", application, bid.supplier | value, len(rows))


def awarded(process: Process) -> Iterator[Event]:
    """Each award: what it is worth, to whom, and for which lots."""
    shape = process.shape
    for award, node in process.awards.items():
        ids, supplier = process.suppliers_of_award(node, "supplier" if process.is_made(award) else "")
        amount, currency = shape.money(node)
        period = shape.one(node, "contractPeriod")
        value = {
            "award_id": process.own(award),
            "number": award,
            "tender_id": process.ocid if process.tender else None,
            "tender_number": text(process.tender.get("id")),
            "lot_ids": process.lots_of_award(node),
            "application_ids": [process.own(bid) for bid in process.bids_of(node)],
            "supplier_ids": ids,
            "status_code": process.award_statuses[award],
            "total_amount": amount,
            "currency_code": currency,
            "method_code": process.method,
            "description": shape.words(node, "title") or shape.words(node, "description"),
            "awarded_at": time(node.get("date")),
            "planned_start_at": time(period.get("startDate")),
            "planned_end_at": time(period.get("endDate")),
            "changed_at": process.changed_at,
        }
        yield Event("ocds.award", process.own(award), process.buyer(node) | supplier | value)


def _bids(process: Process) -> Iterator[_Bid]:
    shape = process.shape
    for bid_id, node in process.bids.items():
        suppliers, supplier = process.suppliers(shape.many(node, "tenderers"), "tenderer")
        amount, currency = shape.money(node)
        status = process.status("bid", node.get("status"))
        yield _Bid(bid_id, node, suppliers, supplier, process.lots_of(node), amount, currency, status)


def _winners(process: Process, bids: list[_Bid]) -> set[tuple[str, str | None]]:
    """Bids that won, each with the lot that it won: an active award names them, or their suppliers and lots."""
    won: set[tuple[str, str | None]] = set()
    for name, award in process.awards.items():
        if not process.is_made(name):
            continue
        suppliers, _ = process.suppliers_of_award(award)
        lots = set(process.lots_of_award(award))
        if named := process.bids_of(award):
            of_award = [bid for bid in bids if bid.bid_id in named]
        else:
            amount, _ = process.shape.money(award)
            fit = [bid for bid in bids if _fits(bid, suppliers) and (not lots or not bid.lots or lots & {*bid.lots})]
            of_award = [bid for bid in fit if _same(bid.amount, amount)] or fit
        won |= {(bid.bid_id, lot) for bid in of_award for lot in bid.places if not lots or lot is None or lot in lots}
    return won


def _fits(bid: _Bid, suppliers: list[str]) -> bool:
    return bool(bid.suppliers) and {*bid.suppliers} <= {*suppliers} and bid.status not in NOT_COMPETING


def _same(one: Any, other: Any) -> bool:
    return one is not None and one == other
