"""Events of what is planned, tendered and offered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingestion.ocds.process import Process
from ingestion.ocds.shape import Event, Json, text, texts, time
from ingestion.ocds.statuses import WINNER

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
            "name": text(budget.get("description")) or text(budget.get("project")),
            "description": text(process.planning.get("rationale")),
            "total_amount": amount,
            "currency_code": currency,
        }
        yield Event("ocds.planning_item", process.ocid, value)
    for item, told in process.items.items():
        unit, classified = shape.one(told, "unit"), shape.one(told, "classification")
        amount, currency = shape.money(unit)
        value = shared | {
            "planning_item_id": process.own(item),
            "name": text(told.get("description")) or text(classified.get("description")),
            "enstru_code": text(classified.get("id")),
            "unit_code": text(unit.get("id")) or text(unit.get("name")),
            "quantity": text(told.get("quantity")),
            "unit_amount": amount,
            "currency_code": currency,
        }
        yield Event("ocds.planning_item", process.own(item), value)


def tendered(process: Process) -> Iterator[Event]:
    """The tender and its lots."""
    shape, tender = process.shape, process.tender
    if not tender:
        return
    amount, currency = shape.money(tender)
    period = shape.one(tender, "tenderPeriod")
    awarded = [told for _, award in process.awards if (told := time(award.get("date")))]
    described: Json = {
        "tender_id": process.ocid,
        "number": text(tender.get("id")),
        "name": text(tender.get("title")),
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
        "lot_count": len(process.lots) or 1,
        "published_at": time(tender.get("datePublished")),
        "started_at": time(period.get("startDate")),
        "ended_at": time(period.get("endDate")),
        "awarded_at": min(awarded, default=None),
    }
    yield Event("ocds.tender", process.ocid, described | whole)
    described |= process.buyer() | {"tender_number": described["number"]}
    if not process.lots:
        yield _lot(process, process.ocid, described | {"description": text(tender.get("description"))})
    for lot, of_lot in process.lots.items():
        amount, currency = shape.money(of_lot)
        own = {
            "number": lot,
            "name": text(of_lot.get("title")),
            "description": text(of_lot.get("description")),
            "status_code": process.status("tender", of_lot.get("status")),
            "total_amount": amount,
            "currency_code": currency,
        }
        yield _lot(process, process.own(lot), described | own)


def _lot(process: Process, lot_id: str, value: Json) -> Event:
    items = {item: told for item, told in process.items.items() if process.lot_of(told) == lot_id}
    quantities = [text(told.get("quantity")) for told in items.values()]
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
    told: Json
    suppliers: frozenset[str]
    supplier: Json
    lots: list[str]
    amount: str | None
    currency: str
    status: str | None


def offered(process: Process) -> Iterator[Event]:
    """The bids of the bids extension: one event a bid, one row in it a lot.

    A bid that names no lot where there are several is one for the tender as a whole. The sum of a bid for several lots
    is for all of them together and no lot's own, so it is left out, and counted.
    """
    bids = list(_bids(process))
    won = _winners(process, bids)
    for bid in bids:
        application = process.own(bid.bid_id)
        rows = [
            {
                "id": application if len(bid.lots) == 1 else f"{application}/{lot.removeprefix(f'{process.ocid}/')}",
                "lot_id": lot,
                "amount": bid.amount if len(bid.lots) == 1 else None,
                "status_id": process.status("bid", WINNER) if (bid.bid_id, lot) in won else bid.status,
            }
            for lot in bid.lots
        ]
        if len(bid.lots) > 1 and bid.amount:
            process.shape.odd["sums of bids for several lots"] += 1
        value = {
            "application_id": application,
            "tender_id": process.ocid,
            "currency_code": bid.currency,
            "submitted_at": time(bid.told.get("date")),
            "changed_at": process.changed_at,
            "app_lots": [{name: part for name, part in row.items() if part is not None} for row in rows],
        }
        yield Event("ocds.bid", application, bid.supplier | value, len(rows))


def _bids(process: Process) -> Iterator[_Bid]:
    shape = process.shape
    for bid_id, told in shape.named(shape.one(process.release, "bids"), "details"):
        suppliers, supplier = process.suppliers(shape.many(told, "tenderers"), "tenderer")
        amount, currency = shape.money(told)
        status = process.status("bid", told.get("status"))
        lots = process.lots_of(told) or [process.ocid]
        yield _Bid(bid_id, told, suppliers, supplier, lots, amount, currency, status)


def _winners(process: Process, bids: list[_Bid]) -> set[tuple[str, str]]:
    """Bids that won, each with the lot that it won: an active award names them, or their suppliers and lots."""
    won: set[tuple[str, str]] = set()
    for _, award in process.awards:
        # Many publishers tell of awards that were made and nothing else, without a status.
        is_active = (process.status("award", award.get("status")) or "active") == "active"
        suppliers, _ = process.suppliers(process.shape.many(award, "suppliers"), "supplier" if is_active else "")
        if not is_active:
            continue
        lots = set(process.lots_of(award))
        named = {*texts(award.get("relatedBid")), *texts(award.get("relatedBids"))}
        amount, _ = process.shape.money(award)
        fit = [bid for bid in bids if _fits(bid, named, suppliers) and (not lots or lots.intersection(bid.lots))]
        exact = [bid for bid in fit if _same(bid.amount, amount)]
        won |= {(bid.bid_id, lot) for bid in exact or fit for lot in bid.lots if not lots or lot in lots}
    return won


def _fits(bid: _Bid, named: set[str], suppliers: frozenset[str]) -> bool:
    if named:
        return bid.bid_id in named
    return bool(bid.suppliers) and bid.suppliers <= suppliers and bid.status not in NOT_COMPETING


def _same(one: Any, other: Any) -> bool:
    return one is not None and one == other
