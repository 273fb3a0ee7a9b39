"""A contracting process as flags see it: `silver.procurement_processes`, one object a row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.procurement.silver.processes import Processes

Ids = tuple[str | None, ...]
"""The ids of several organisations; None for one without an id."""
COLUMNS = (
    Processes.process_id, Processes.published_status_code, Processes.published_method_code, Processes.method_details,
    Processes.period_start_text, Processes.period_end_text, Processes.published_tenderer_count,
    Processes.published_buyer_id, Processes.published_organiser_id, Processes.bid_count, Processes.bids,
    Processes.awards,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bid:
    """`amount` is None where it is no number."""

    status: str | None
    date: str | None
    amount: float | None
    currency: str | None
    tenderers: Ids | None

    @property
    def tenderer_ids(self) -> frozenset[str]:
        return frozenset(one for one in self.tenderers or () if one is not None)

    @property
    def tenderer(self) -> str | None:
        """The tenderer, where there is just one."""
        return self.tenderers[0] if self.tenderers is not None and len(self.tenderers) == 1 else None


@dataclass(frozen=True, slots=True)
class Award:
    """`classifications` are the codes of its items."""

    status: str | None
    suppliers: Ids | None
    classifications: tuple[str, ...]

    @property
    def supplier_ids(self) -> frozenset[str]:
        return frozenset(one for one in self.suppliers or () if one is not None)

    @property
    def supplier(self) -> str | None:
        """The supplier, where there is just one."""
        return self.suppliers[0] if self.suppliers is not None and len(self.suppliers) == 1 else None


@dataclass(frozen=True, slots=True)
class Process:
    """One contracting process; dates are texts as they were written."""

    ocid: str
    status: str | None = None
    method: str | None = None
    method_details: str | None = None
    period_start: str | None = None
    period_end: str | None = None
    tenderer_count: int | None = None
    buyer_id: str | None = None
    organiser_id: str | None = None
    bids: tuple[Bid, ...] = ()
    awards: tuple[Award, ...] = ()
    has_all_bids: bool = True

    @property
    def submitted_bids(self) -> list[Bid]:
        """Pending, valid and disqualified bids: neither invited nor withdrawn."""
        return [bid for bid in self.bids if bid.status is not None and bid.status not in ("invited", "withdrawn")]

    @property
    def complete_awards(self) -> list[Award] | None:
        """The active awards; None while one of the awards is not final."""
        if any(a.status is not None and a.status not in ("active", "cancelled", "unsuccessful") for a in self.awards):
            return None
        return [award for award in self.awards if award.status == "active"]

    @property
    def single_supplier(self) -> str | None:
        """The supplier of the only active award, where all awards are final and it has just one supplier."""
        awards = self.complete_awards
        return awards[0].supplier if awards is not None and len(awards) == 1 else None


def process_of(row: Mapping[str, Any]) -> Process:
    """From a row of `COLUMNS`."""
    count, bids = row[Processes.published_tenderer_count], row[Processes.bids]
    return Process(
        ocid=row[Processes.process_id],
        status=row[Processes.published_status_code],
        method=row[Processes.published_method_code],
        method_details=row[Processes.method_details],
        period_start=row[Processes.period_start_text],
        period_end=row[Processes.period_end_text],
        tenderer_count=None if count is None else int(count),
        buyer_id=row[Processes.published_buyer_id],
        organiser_id=row[Processes.published_organiser_id],
        bids=tuple(_bid(bid) for bid in _list(bids)),
        awards=tuple(_award(award) for award in _list(row[Processes.awards])),
        has_all_bids=bids is not None or not row[Processes.bid_count],
    )


def _list(text: str | None) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = orjson.loads(text) if text else []
    return listed


def _bid(node: Mapping[str, Any]) -> Bid:
    amount = float(node.get("amount") or "nan")
    return Bid(
        node.get("status"), node.get("date"), amount if math.isfinite(amount) else None, node.get("currency"),
        _ids(node.get("tenderers")),
    )  # fmt: skip


def _award(node: Mapping[str, Any]) -> Award:
    return Award(node.get("status"), _ids(node.get("suppliers")), tuple(node.get("classifications") or ()))


def _ids(listed: list[str | None] | None) -> Ids | None:
    return None if listed is None else tuple(listed)
