"""The 74 paths: what each answers with, and which rows it finds.

`rows` of a path are all of a register, or found by the path's own value: a function of (world, value) that gives row
numbers in descending order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from standins.goszakup.columns import Array
from standins.goszakup.execution import PORTAL
from standins.goszakup.refs import dictionaries
from standins.goszakup.rows_contracts import contract_at
from standins.goszakup.world import World

NOTHING = np.zeros(0, dtype=np.int64)
Find = Callable[[World, str], Array]


@dataclass(frozen=True)
class Route:
    """`shape` names what rows look like (registers.SHAPES), or who else answers: journal, refs, parts of one row."""

    path: str
    answer: Literal["page", "object", "html", "graphql"]
    shape: str
    find: Find | None = None
    method: str = "GET"
    query: tuple[str, ...] = ()


def number(text: str) -> int:
    """An id or BIN as a number; -1 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else -1


def where(condition: Array) -> Array:
    return np.flatnonzero(condition)[::-1]


def subject_by_biin(world: World, biin: str) -> Array:
    return where(world.parties.biin == number(biin)) if len(biin) == 12 else NOTHING


def _subject(world: World, biin: str) -> int:
    """The row number of a subject, or one that no row refers to."""
    indexes = subject_by_biin(world, biin)
    return int(indexes[0]) if len(indexes) else -9


def _by_id(name: str) -> Find:
    def find(world: World, text: str) -> Array:
        index = world.ids[name].find(number(text))
        return np.array([index]) if index >= 0 else NOTHING

    return find


def _tender(world: World, anno: str) -> int:
    """The row number of an announcement by ``415500-1``."""
    stem, _, tail = anno.partition("-")
    index = world.ids["trd_buy"].find(number(stem))
    if not 0 <= index < world.tenders.n or tail != str(1 + (world.tenders.parent[index] >= 0)):
        return -9
    return index


def tender_by_anno(world: World, anno: str) -> Array:
    index = _tender(world, anno)
    return np.array([index]) if index >= 0 else NOTHING


def lots_by_anno(world: World, anno: str) -> Array:
    return where(world.lots.tender == _tender(world, anno))


def lots_by_customer(world: World, biin: str) -> Array:
    return where(world.lots.customer == _subject(world, biin))


def tenders_by_organizer(world: World, biin: str) -> Array:
    return where(world.tenders.buyer == _subject(world, biin))


def points_by_customer(world: World, biin: str) -> Array:
    return where(world.points.customer == _subject(world, biin))


def contracts_by_anno(world: World, anno: str) -> Array:
    return where(world.deals.tender[world.contracts.deal] == _tender(world, anno))


def contracts_by_supplier(world: World, biin: str) -> Array:
    return where(world.deals.supplier[world.contracts.deal] == _subject(world, biin))


def contracts_by_customer(world: World, biin: str) -> Array:
    return where(world.deals.buyer[world.contracts.deal] == _subject(world, biin))


def contract_by_number(world: World, text: str) -> Array:
    index = number(text) - 1
    return np.array([index]) if 0 <= index < len(world.contracts.deal) else NOTHING


def contract_by_system_number(world: World, text: str) -> Array:
    index = contract_at(world, text)
    return np.array([index]) if index >= 0 else NOTHING


def payments_of_contract(world: World, text: str) -> Array:
    index = world.ids["contract"].find(number(text))
    if not 0 <= index < len(world.contracts.deal) or world.contracts.place[index]:
        return NOTHING
    return where(world.execution.payments.deal == world.contracts.deal[index])


def sanctions_of(world: World, biin: str) -> Array:
    listed = world.execution.sanctions
    mine = (listed.supplier == _subject(world, biin)) & (listed.system == PORTAL)
    return where(mine & (listed.begins <= world.clock))


def deleted_points(world: World, _: str) -> Array:
    return where(world.points.gone <= world.clock)


def planners(world: World, _: str) -> Array:
    return np.arange(world.parties.buyers)[::-1]


ROUTES: tuple[Route, ...] = (
    Route("/help/v3/schema/", "html", "schema"),
    Route("/v3/graphql", "graphql", "graphql", method="POST"),
    Route("/v3/journal", "page", "journal", query=("date_from", "date_to")),
    Route("/v3/subject", "page", "subject_short"),
    Route("/v3/subject/all", "page", "subject_full"),
    Route("/v3/subject/biin/{biin}", "object", "subject_detail", subject_by_biin),
    Route("/v3/subject/{pid}", "object", "subject_detail", _by_id("subject")),
    Route("/v3/subject/biin/{biin}/address", "page", "address", subject_by_biin),
    Route("/v3/subject/biin/{biin}/employees", "page", "employees", subject_by_biin),
    Route("/v3/rnu", "page", "rnu"),
    Route("/v3/rnu/{biin}", "page", "rnu_detail", sanctions_of),
    Route("/v3/plans", "page", "planners", planners),
    Route("/v3/plans/{customer_bin}", "page", "points_parts", points_by_customer),
    Route("/v3/plans/view/{id}", "object", "points_parts", _by_id("points")),
    Route("/v3/plans/all", "page", "points"),
    Route("/v3/plans/kato", "page", "kato"),
    Route("/v3/plans/spec", "page", "spec"),
    Route("/v2/plans/deleted", "page", "points_deleted", deleted_points),
    Route("/v3/trd-buy", "page", "tenders_short"),
    Route("/v3/trd-buy/all", "page", "tenders_full"),
    Route("/v3/trd-buy/bin/{org_bin}", "page", "tenders_short", tenders_by_organizer),
    Route("/v3/trd-buy/number-anno/{number_anno}", "object", "tenders_full", tender_by_anno),
    Route("/v3/trd-buy/{id}", "object", "tenders_full", _by_id("trd_buy")),
    Route("/v3/trd-buy/{id}/commission", "page", "commission", _by_id("trd_buy")),
    Route("/v3/trd-buy/{id}/pause", "page", "pause", _by_id("trd_buy")),
    Route("/v3/trd-buy/{id}/cancel", "page", "cancel", _by_id("trd_buy")),
    Route("/v3/trd-app", "page", "applications"),
    Route("/v3/lots", "page", "lots"),
    Route("/v3/lots/number-anno/{number_anno}", "page", "lots", lots_by_anno),
    Route("/v3/lots/bin/{customer_bin}", "page", "lots", lots_by_customer),
    Route("/v3/lots/{id}", "object", "lots", _by_id("lots")),
    Route("/v3/contract", "page", "contracts_short"),
    Route("/v3/contract/number-anno/{number_anno}", "page", "contracts_short", contracts_by_anno),
    Route("/v3/contract/supplier/{biin}", "page", "contracts_short", contracts_by_supplier),
    Route("/v3/contract/customer/{bin}", "page", "contracts_short", contracts_by_customer),
    Route("/v3/contract/number/", "object", "contracts_full", contract_by_number, query=("number",)),
    Route("/v3/contract/number-sys/", "object", "contracts_full", contract_by_system_number, query=("number",)),
    Route("/v3/contract/{id}", "object", "contracts_full", _by_id("contract")),
    Route("/v3/contract/all", "page", "contracts_full"),
    Route("/v3/contract/{id}/units", "page", "units", _by_id("contract")),
    Route("/v3/acts", "page", "acts"),
    Route("/v3/acts/{id}", "object", "acts", _by_id("acts")),
    Route("/v3/treasury-pay", "page", "payments"),
    Route("/v3/treasury-pay/{contract_id}", "page", "payments", payments_of_contract),
    *(Route(f"/v3/refs/{name}", "page", "refs") for name in dictionaries()),
)
