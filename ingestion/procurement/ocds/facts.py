"""What red flags ask of a process, as its publisher wrote it: codes, ids and dates untouched.

The other events say the same in Sauda's words. Indicators that are defined on OCDS itself (`jobs/procurement/flags`)
have to agree with other programs to the last digit, so they read these.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ingestion.procurement.ocds.process import Process
from ingestion.procurement.ocds.shape import Event, Json, Shape

PROCESS = "ocds.process"
MAX_BIDS = 5_000
"""More do not fit into one message: such a process is said to have too many, and no flag is computed of it."""


def compared(process: Process) -> Iterator[Event]:
    """The process itself. Lists keep the order that the publisher gave them; a person goes by the alias."""
    release, tender, quiet = process.release, process.tender, Shape()
    period, count = quiet.one(tender, "tenderPeriod"), tender.get("numberOfTenderers")
    bids = quiet.many(quiet.one(release, "bids"), "details")

    def id_of(node: Any) -> str | None:
        if not isinstance(node, dict):
            return None
        party_id = process.parties.refer(node)
        return party_id if party_id and process.persons.is_alias(party_id) else _text(node.get("id"))

    def ids(nodes: Any) -> list[str | None] | None:
        # An id, or none, for each element: how many there are decides as well as who.
        return [id_of(node) for node in nodes] if isinstance(nodes, list) else None

    def bid_of(bid: Json) -> Json:
        value = quiet.one(bid, "value")
        amount = value.get("amount")
        is_number = isinstance(amount, int | Decimal) and not isinstance(amount, bool)
        return {
            "status": _text(bid.get("status")), "date": _text(bid.get("date")),
            "amount": str(amount) if is_number else None, "currency": _text(value.get("currency")),
            "tenderers": ids(bid.get("tenderers")),
        }  # fmt: skip

    def award_of(award: Json) -> Json:
        codes = [_text(quiet.one(item, "classification").get("id")) for item in quiet.many(award, "items")]
        return {
            "status": _text(award.get("status")), "suppliers": ids(award.get("suppliers")),
            "classifications": [code for code in codes if code is not None],
        }  # fmt: skip

    value: Json = {
        "process_id": process.ocid,
        "changed_at": process.changed_at,
        "status": _text(tender.get("status")),
        "method": _text(tender.get("procurementMethod")),
        "method_details": _text(tender.get("procurementMethodDetails")),
        "starts": _text(period.get("startDate")),
        "ends": _text(period.get("endDate")),
        "tenderer_count": count if isinstance(count, int) and not isinstance(count, bool) else None,
        "buyer": id_of(release.get("buyer")),
        "organiser": id_of(tender.get("procuringEntity")),
        "bid_count": len(bids),
        "bids": [bid_of(bid) for bid in bids] if len(bids) <= MAX_BIDS else None,
        "awards": [award_of(award) for award in quiet.many(release, "awards")],
    }
    yield Event(PROCESS, process.ocid, value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
