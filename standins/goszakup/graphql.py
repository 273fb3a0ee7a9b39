"""GraphQL over the same registers: roots with limit, after and filter; fields in camel case."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from html import escape
from typing import Any

import numpy as np
import orjson

from standins.goszakup import routes, rows_contracts, rows_parties
from standins.goszakup.columns import Row
from standins.goszakup.graphql_query import Field, QueryError, read_query
from standins.goszakup.listings import BadCursor, FoundRows, Listing, WholeRegister
from standins.goszakup.registers import SHAPES
from standins.goszakup.service import Service
from standins.goszakup.world import World, make_world

DEFAULT_LIMIT, MOST = 50, 200

ROOTS = {
    "Subjects": "subject_full", "TrdBuy": "tenders_full", "Lots": "lots", "TrdApp": "applications",
    "Plans": "points_parts", "Contract": "contracts_full", "ContractAct": "acts", "TreasuryPay": "payments",
    "RnuList": "rnu",
}  # fmt: skip
RENAMED = {"kato": "plansKato", "spec": "plansSpec", "ref_subject_types_id": "refSubjectTypeId"}
QUICK: dict[tuple[str, str], routes.Find] = {
    ("Subjects", "bin"): routes.subject_by_biin,
    ("Subjects", "iin"): routes.subject_by_biin,
    ("TrdBuy", "orgBin"): routes.tenders_by_organizer,
    ("TrdBuy", "numberAnno"): routes.tender_by_anno,
    ("Lots", "trdBuyNumberAnno"): routes.lots_by_anno,
    ("Lots", "customerBin"): routes.lots_by_customer,
    ("Plans", "subjectBiin"): routes.points_by_customer,
    ("Contract", "supplierBiin"): routes.contracts_by_supplier,
    ("Contract", "customerBin"): routes.contracts_by_customer,
    ("Contract", "trdBuyNumberAnno"): routes.contracts_by_anno,
    ("TreasuryPay", "contractId"): routes.payments_of_contract,
}
"""Filters that find their rows without looking at all others."""


@cache
def camel(name: str) -> str:
    """``ref_lots_status_id`` → ``refLotsStatusId``."""
    return RENAMED.get(name) or re.sub(r"_+([a-z0-9])", lambda matches: matches.group(1).upper(), name)


def answer(service: Service, body: bytes) -> dict[str, Any]:
    """The answer to a request's body: data and page info, or errors."""
    try:
        request = orjson.loads(body)
        if not isinstance(request, dict) or not isinstance(request.get("query"), str):
            raise QueryError('The body must be {"query": "..."}.')
        data: dict[str, Any] = {}
        info: dict[str, Any] = {}
        for root in read_query(request["query"], request.get("variables") or {}):
            data[root.alias], info = _root(service, root)
        return {"data": data, "extensions": {"pageInfo": info}}
    except orjson.JSONDecodeError:
        return {"errors": [{"message": "The body is not JSON."}]}
    except (QueryError, BadCursor) as problem:
        return {"errors": [{"message": str(problem)}]}


def _root(service: Service, root: Field) -> tuple[list[Row], dict[str, Any]]:
    if root.name not in ROOTS:
        raise QueryError(f'Cannot query field "{root.name}" on type "Query".')
    limit = root.arguments.get("limit") or DEFAULT_LIMIT
    if not isinstance(limit, int) or limit < 1:
        raise QueryError(f"limit is {limit!r}; expected a whole number from 1 to {MOST}.")
    limit = min(limit, MOST)
    wanted = {key: value for key, value in (root.arguments.get("filter") or {}).items() if value is not None}
    listing = _listing(service, root.name, wanted)
    after = root.arguments.get("after")
    before = listing.below(str(after)) if after else listing.start()
    matches: list[tuple[int, Row]] = []
    total = listing.total if not wanted else 0
    at = listing.start() if wanted else before
    # Without a filter the page is enough; with one all rows are looked at, for the total is told.
    while len(positions := listing.take(at, MOST if wanted else limit + 1)):
        rows = zip(positions.tolist(), listing.rows(positions), strict=True)
        kept = [(position, row) for position, row in rows if _matches(root.name, row, wanted)]
        total += len(kept) if wanted else 0
        matches += [item for item in kept if item[0] < before][: limit + 1 - len(matches)]
        at = int(positions[-1])
        if not wanted:
            break
    page, more = matches[:limit], len(matches) > limit
    info = {
        "limitPage": limit,
        "totalCount": total,
        "hasNextPage": more,
        "lastId": int(listing.cursor(page[-1][0])) if page else None,
    }
    return [_projected(service.world, root.name, row, root.fields) for _, row in page], info


def _listing(service: Service, root: str, wanted: Mapping[str, Any]) -> Listing:
    shape = ROOTS[root]
    register, clock = service.registers[SHAPES[shape][0]], service.world.clock
    for name, value in wanted.items():
        one = value[0] if isinstance(value, list) and len(value) == 1 else value
        quick = QUICK.get((root, name))
        if quick and isinstance(one, str | int) and "*" not in str(one) and "?" not in str(one):
            matches = register.present(quick(service.world, str(one)), clock)
            return FoundRows(register, service.render(shape), clock, matches)
        if name == "id" and isinstance(one, int):
            return FoundRows(register, service.render(shape), clock, register.one(one, clock))
    return WholeRegister(register, service.render(shape), clock)


def _matches(root: str, row: Row, wanted: Mapping[str, Any]) -> bool:
    values = {camel(key): value for key, value in row.items()} if wanted else {}
    for name, value in wanted.items():
        if name not in values:
            raise QueryError(f'Field "{name}" is not defined by type "{root}FiltersInput".')
        if not _fits(name, values[name], value):
            return False
    return True


def _fits(name: str, value: Any, wanted: Any) -> bool:
    if name.lower().endswith("date") and isinstance(wanted, list):
        if value is None:
            return False
        low, high = [*wanted, "", ""][:2]
        return value[: len(low)] >= low and (not high or value[: len(high)] <= high)
    if isinstance(wanted, list):
        return any(_fits(name, value, one) for one in wanted)
    if isinstance(wanted, str) and isinstance(value, str) and ("*" in wanted or "?" in wanted):
        return fnmatchcase(value.lower(), wanted.lower().replace("[", "[[]"))
    return bool(str(value) == str(wanted))


def _subject(name: str) -> Callable[[World, Row], Any]:
    def find(world: World, row: Row) -> Any:
        index = routes.subject_by_biin(world, row[name])
        return rows_parties.subjects_full(world, index)[0] if len(index) else None

    return find


def _units(world: World, row: Row) -> list[Row]:
    return rows_contracts.units(world, world.ids["contract"].find(row["id"]))


JOINED: dict[tuple[str, str], Callable[[World, Row], Any]] = {
    ("Contract", "supplier"): _subject("supplier_biin"),
    ("Contract", "customer"): _subject("customer_bin"),
    ("Contract", "contractUnits"): _units,
}
"""Fields that are rows of another register."""


def _projected(world: World, root: str, row: Row, fields: tuple[Field, ...]) -> Row:
    values = {camel(key): value for key, value in row.items()}
    result = {}
    for part in fields:
        # Rows within rows are named as types are: AppLots, Offers, ContractUnits.
        key = part.name[:1].lower() + part.name[1:]
        if (root, key) in JOINED:
            value = JOINED[root, key](world, row)
        elif key in values:
            value = values[key]
        else:
            raise QueryError(f'Cannot query field "{part.name}" on type "{root}".')
        if part.fields and isinstance(value, list):
            value = [_projected(world, part.name, one, part.fields) for one in value]
        elif part.fields and isinstance(value, dict):
            value = _projected(world, part.name, value, part.fields)
        result[part.alias] = value
    return result


@cache
def schema_page() -> str:
    """The types and their fields as an HTML page. A very small world shows what rows have."""
    world = make_world(0, 1000, 1)
    tables = []
    for root, shape in ROOTS.items():
        row = SHAPES[shape][1](world, np.array([0]))[0]
        lines = "".join(
            f"<tr><td>{escape(camel(key))}</td><td>{_kind(key, value)}</td></tr>" for key, value in row.items()
        )
        tables.append(f'<h2 id="{root.lower()}">{root}</h2><table>{lines}</table>')
    return (
        '<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"><title>GraphQL v3</title></head>'
        f"<body><h1>Схема GraphQL v3</h1>{''.join(tables)}</body></html>"
    )


def _kind(name: str, value: Any) -> str:
    if isinstance(value, list):
        return f"[{camel(name)[:1].upper()}{camel(name)[1:]}]"
    return {int: "Int", float: "Float"}.get(type(value), "String")
