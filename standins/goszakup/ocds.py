"""The world as OCDS 1.1 release packages, one a line: a process is a lot, and each thing that happened is a release.

Indicators compare the bids of one lot, so the lot is the process; its announcement is named in ``tender.id``. Direct
contracts are processes of their own, without a tender. Money is tenge without VAT.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from standins.goszakup import rows_parties, rows_tenders
from standins.goszakup.columns import Array, stamps, tenge
from standins.goszakup.tenders import AFTER_FAILURE, DIRECT
from standins.goszakup.words import GOODS
from standins.goszakup.world import World

PREFIX = "ocds-sauda0"
LOTS_A_PACKAGE = 200
DETAILS = {2: "Открытый конкурс", 3: "Запрос ценовых предложений", 6: "Из одного источника по несостоявшимся закупкам",
           7: "Аукцион", 23: "Из одного источника путем прямого заключения договора",
           188: "Открытый конкурс (рейтингово-балльная система)"}  # fmt: skip

Json = dict[str, Any]


def write_packages(world: World, path: Path) -> tuple[int, int]:
    """Write all that has happened by the world's clock; returns how many packages and releases."""
    packages = releases = 0
    with path.open("wb") as out:
        for batch in _batches(_Export.of(world)):
            package = {
                "uri": f"https://sauda.example/ocds/{packages + 1}",
                "version": "1.1",
                "publisher": {"name": "Sauda"},
                "publishedDate": iso(np.array([world.clock]))[0],
                "releases": batch,
            }
            out.write(orjson.dumps(package) + b"\n")
            packages, releases = packages + 1, releases + len(batch)
    return packages, releases


def iso(seconds: Array) -> list[Any]:
    """Instants with their zone; None where they do not come."""
    return [text and f"{text.replace(' ', 'T')}+05:00" for text in stamps(seconds)]


def _money(tiyn: int) -> Json:
    return {"amount": tenge(np.array([tiyn]))[0], "currency": "KZT"}


@dataclass(frozen=True)
class _Export:
    """The world with what leads from a lot to its offers and its deal, and from a deal to its rows and payments."""

    world: World
    offers: Array
    offer_from: Array
    deal_of_offer: dict[int, int]
    rows: Array
    row_from: Array
    paid: Array
    paid_from: Array

    @classmethod
    def of(cls, world: World) -> _Export:
        deal = np.repeat(np.arange(world.deals.n), world.deals.awards)
        by_lot = np.argsort(world.offers.lot, kind="stable")
        by_deal = np.argsort(world.contracts.deal, kind="stable")
        by_paid = np.argsort(world.execution.payments.deal, kind="stable")
        edges = np.arange(world.deals.n + 1)
        return cls(
            world, by_lot, np.searchsorted(world.offers.lot[by_lot], np.arange(world.lots.n + 1)),
            dict(zip(world.awarded.tolist(), deal.tolist(), strict=True)),
            by_deal, np.searchsorted(world.contracts.deal[by_deal], edges),
            by_paid, np.searchsorted(world.execution.payments.deal[by_paid], edges),
        )  # fmt: skip


def _batches(export: _Export) -> Iterator[list[Json]]:
    world = export.world
    there = np.flatnonzero(
        (world.tenders.published <= world.clock) & (world.tenders.gone > world.clock)
    )  # fmt: skip
    lots = np.flatnonzero(np.isin(world.lots.tender, there))
    direct = np.flatnonzero((world.deals.tender < 0) & (world.deals.signed <= world.clock))
    for start in range(0, len(lots), LOTS_A_PACKAGE):
        yield [release for lot in lots[start : start + LOTS_A_PACKAGE].tolist() for release in _of_lot(export, lot)]
    for start in range(0, len(direct), LOTS_A_PACKAGE):
        part = direct[start : start + LOTS_A_PACKAGE].tolist()
        yield [release for deal in part for release in _of_direct(export, deal)]


def _party(world: World, subject: int, *roles: str) -> Json:
    index = np.array([subject])
    biin = rows_parties.biins(world, index)[0]
    return {
        "id": f"KZ-BIN-{biin}",
        "name": rows_parties.names(world, index)[0][0],
        "identifier": {"scheme": "KZ-BIN", "id": biin},
        "roles": list(roles),
    }


def _refer(party: Json) -> Json:
    return {"id": party["id"], "name": party["name"]}


def _release(ocid: str, at: int, tag: str, **parts: Any) -> Json:
    day = iso(np.array([at]))[0]
    return {"ocid": ocid, "id": f"{ocid}-{tag}-{at}", "date": day, "tag": [tag], "initiationType": "tender", **parts}


def _of_lot(export: _Export, lot: int) -> Iterator[Json]:
    world = export.world
    table, tender = world.tenders, int(world.lots.tender[lot])
    ocid = f"{PREFIX}-{world.ids['lots'].one(lot)}"
    buyer = _party(world, int(world.lots.customer[lot]), "buyer", "procuringEntity")
    good = GOODS[int(table.category[tender])]
    method = int(table.method[tender])
    opens, closes = iso(np.array([table.opens[tender], table.closes[tender]]))
    described: Json = {
        "id": rows_tenders.numbers(world, np.array([tender]))[0],
        "title": good.name_ru,
        "status": "active",
        "procuringEntity": _refer(buyer),
        "value": _money(int(world.lots.amount[lot])),
        "procurementMethod": "direct" if method == AFTER_FAILURE else "open",
        "procurementMethodDetails": DETAILS[method],
        "mainProcurementCategory": ("goods", "works", "services")[good.kind - 1],
        "tenderPeriod": {"startDate": opens, "endDate": closes},
        "items": [{"id": "1", "classification": {"scheme": "KZ-ENSTRU", "id": good.code, "description": good.name_ru}}],
    }
    yield _release(ocid, int(table.published[tender]), "tender", buyer=_refer(buyer), parties=[buyer], tender=described)
    if table.final[tender] > world.clock:
        return
    if table.cancelled[tender]:
        ended = described | {"status": "cancelled"}
        yield _release(ocid, int(table.final[tender]), "tenderCancellation", tender=ended)
        return
    offers = export.offers[export.offer_from[lot] : export.offer_from[lot + 1]]
    bidders = [_party(world, int(subject), "tenderer") for subject in world.bids.supplier[world.offers.bid[offers]]]
    applied = iso(world.bids.applied[world.offers.bid[offers]])
    won = bool(world.lot_won[lot])
    ended = described | {
        "status": "complete" if won else "unsuccessful",
        "numberOfTenderers": len({party["id"] for party in bidders}),
        "tenderers": [_refer(party) for party in bidders],
    }
    details, award = [], {}
    for offer, party, at in zip(offers.tolist(), bidders, applied, strict=True):
        status = "disqualified" if world.offers.rejected[offer] else "valid"
        value = _money(int(world.offers.amount[offer]))
        identity = str(world.ids["offers"].one(offer))
        details.append({"id": identity, "date": at, "status": status, "tenderers": [_refer(party)], "value": value})
        if world.offers.won[offer]:
            party["roles"].append("supplier")
            award = {"id": identity, "status": "active", "value": value, "suppliers": [_refer(party)],
                     "date": iso(table.final[[tender]])[0]}  # fmt: skip
    yield _release(
        ocid, int(table.final[tender]), "award", parties=[buyer, *bidders], tender=ended, bids={"details": details},
        awards=[award] if award else [],
    )  # fmt: skip
    winner = offers[world.offers.won[offers]]
    if len(winner):
        deal = export.deal_of_offer[int(winner[0])]
        yield from _of_deal(export, ocid, deal, award["id"], int(world.offers.amount[winner[0]]))


def _of_direct(export: _Export, deal: int) -> Iterator[Json]:
    world = export.world
    root = int(world.contracts.root_of_deal[deal])
    ocid = f"{PREFIX}-c{world.ids['contract'].one(root)}"
    buyer = _party(world, int(world.deals.buyer[deal]), "buyer", "procuringEntity")
    supplier = _party(world, int(world.deals.supplier[deal]), "supplier")
    award = {"id": f"{ocid}-1", "status": "active", "value": _money(int(world.deals.sum[deal])),
             "suppliers": [_refer(supplier)], "date": iso(world.deals.created[[deal]])[0]}  # fmt: skip
    tender = {
        "id": f"{ocid}-tender",
        "status": "complete",
        "procuringEntity": _refer(buyer),
        "procurementMethod": "direct",
        "procurementMethodDetails": DETAILS[DIRECT],
    }
    yield _release(
        ocid, int(world.deals.created[deal]), "award", buyer=_refer(buyer), parties=[buyer, supplier], tender=tender,
        awards=[award],
    )  # fmt: skip
    yield from _of_deal(export, ocid, deal, award["id"], int(world.deals.sum[deal]))


def _of_deal(export: _Export, ocid: str, deal: int, award: str, own: int) -> Iterator[Json]:
    """The contract, its amendments and payments: of each sum what belongs to this process, `own` tiyn at first."""
    world = export.world
    whole, held = int(world.deals.sum[deal]), world.contracts
    rows = export.rows[export.row_from[deal] : export.row_from[deal + 1]]
    identity = str(world.ids["contract"].one(int(held.root_of_deal[deal])))
    over = world.deals.ends[deal] <= world.clock
    amendments: list[Json] = []
    for row in rows[held.signed[rows] <= world.clock].tolist():
        signed = int(held.signed[row])
        contract: Json = {
            "id": identity,
            "awardID": award,
            "status": "active",
            "value": _money(int(held.sum[row]) * own // whole),
            "dateSigned": iso(held.signed[rows[:1]])[0],
        }
        if held.place[row]:
            day = iso(held.signed[[row]])[0]
            amendments = [*amendments, {"id": str(world.ids["contract"].one(row)), "date": day}]
            contract["amendments"] = amendments
        yield _release(ocid, signed, "contractAmendment" if held.place[row] else "contract", contracts=[contract])
    paid = export.paid[export.paid_from[deal] : export.paid_from[deal + 1]]
    paid = paid[world.execution.payments.paid[paid] <= world.clock]
    if len(paid):
        table = world.execution.payments
        transactions = [
            {"id": str(world.ids["payments"].one(row)), "date": day, "value": _money(amount * own // whole)}
            for row, day, amount in zip(paid.tolist(), iso(table.paid[paid]), table.amount[paid].tolist(), strict=True)
        ]
        done = {"id": identity, "awardID": award, "implementation": {"transactions": transactions}}
        yield _release(ocid, int(table.paid[paid].max()), "implementation", contracts=[done])
    if over:
        status = "cancelled" if world.deals.broken[deal] else "terminated"
        ended = {"id": identity, "awardID": award, "status": status}
        yield _release(ocid, int(world.deals.ends[deal]), "contractTermination", contracts=[ended])
