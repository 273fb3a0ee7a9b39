"""Events of contracts and of what came of them."""

from __future__ import annotations

from collections.abc import Iterator

from ingestion.procurement.ocds.process import Process
from ingestion.procurement.ocds.shape import Event, Json, text, texts, time

CONTRACT = "1"
"""The register's code for a contract that is no addendum; OCDS has an addendum inside its contract."""


def contracted(process: Process) -> Iterator[Event]:
    """Each contract with its items, milestones and transactions.

    Supplier and lots are those of the awards that it fulfils where it names none itself. Its sum is its own: what an
    award is worth is told by the award.
    """
    shape = process.shape
    for contract, node in process.contracts.items():
        awards = _awards(process, node)
        contract_id = process.own(contract)
        # An extension gives contracts suppliers of their own.
        _, supplier = process.suppliers(shape.many(node, "suppliers"), "supplier")
        if not supplier:
            named = {each for award in awards.values() for each in process.suppliers_of_award(award, "supplier")[0]}
            supplier = process.acting(sorted(named))
        lots = process.lots_of(node)
        if not lots:
            lots = list(dict.fromkeys(lot for award in awards.values() for lot in process.lots_of_award(award)))
        amount, currency = shape.money(node)
        period = shape.one(node, "period")
        shared = supplier | process.buyer(node) | {"contract_id": contract_id, "changed_at": process.changed_at}
        value = {
            "root_id": contract_id,
            "number": contract,
            "tender_id": process.ocid if process.tender else None,
            "tender_number": text(process.tender.get("id")),
            "award_ids": [process.own(award) for award in awards],
            "lot_ids": lots,
            "kind_code": CONTRACT,
            "status_code": process.status("contract", node.get("status")),
            "total_amount": amount,
            "currency_code": currency,
            "method_code": process.method,
            "description": shape.words(node, "title") or shape.words(node, "description"),
            "signed_at": time(node.get("dateSigned")),
            "planned_end_at": time(period.get("endDate")),
        }
        yield Event("ocds.contract", contract_id, shared | value)
        yield from _items(process, contract, node, lots)
        yield from _milestones(process, contract, node, shared)
        yield from _transactions(process, contract, node, shared)


def _awards(process: Process, contract: Json) -> dict[str, Json]:
    """The awards that a contract names; the only one that was made where it names none."""
    named = [*texts(contract.get("awardID")), *texts(contract.get("awardIDs"))]
    if named:
        return {award: process.awards.get(award, {}) for award in named}
    awarded = {award: node for award, node in process.awards.items() if process.is_made(award)}
    return awarded if len(awarded) == 1 else {}


def _items(process: Process, contract: str, node: Json, lots: list[str]) -> Iterator[Event]:
    for item, bought in process.shape.named(node, "items"):
        amount, currency = process.shape.money(process.shape.one(bought, "unit"))
        value = {
            "item_id": process.own(contract, item),
            "contract_id": process.own(contract),
            "lot_id": process.lot_of(bought) or (lots[0] if len(lots) == 1 else None),
            "planning_item_id": process.own(item),
            "tender_id": process.ocid if process.tender else None,
            "quantity": text(bought.get("quantity")),
            "unit_amount": amount,
            "currency_code": currency,
            "changed_at": process.changed_at,
        }
        yield Event("ocds.contract_item", value["item_id"] or "", value)


def _milestones(process: Process, contract: str, node: Json, shared: Json) -> Iterator[Event]:
    """One that stands both in the contract and in its implementation is told by the latter."""
    shape = process.shape
    both = dict(shape.named(node, "milestones")) | dict(shape.named(shape.one(node, "implementation"), "milestones"))
    for milestone, reached in both.items():
        value = {
            "act_id": process.own(contract, milestone),
            "root_contract_id": shared["contract_id"],
            "number": milestone,
            "status_code": process.status("milestone", reached.get("status")),
            "status_name": text(reached.get("status")),
            "acted_at": time(reached.get("dateMet")),
        }
        kept = {name: part for name, part in shared.items() if name not in ("supplier_biin", "buyer_code")}
        yield Event("ocds.milestone", value["act_id"] or "", kept | value)


def _transactions(process: Process, contract: str, node: Json, shared: Json) -> Iterator[Event]:
    shape = process.shape
    for transaction, paid in shape.named(shape.one(node, "implementation"), "transactions"):
        # 1.0 calls the sum an amount.
        amount, currency = shape.money(paid, "value" if "value" in paid else "amount")
        payee = process.parties.refer(shape.one(paid, "payee"))
        value = {
            "transaction_id": process.own(contract, transaction),
            "contract_id": shared["contract_id"],
            "supplier_biin": process.parties.code(payee) or shared.get("supplier_biin"),
            "paid_amount": amount,
            "currency_code": currency,
            "paid_at": time(paid.get("date")),
            "changed_at": process.changed_at,
        }
        yield Event("ocds.transaction", value["transaction_id"] or "", value)
