"""Sellers, products and customers: five paths each, made from their contracts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from api.backends.backends import backends_of
from api.backends.keys import Key
from api.http import bodies
from api.http.access import Reader, needs
from api.http.openapi import column_schema, described, listed
from api.http.parameters import NOTHING, Parameter, Parameters, limit
from api.http.problems import Problem, invalid
from api.shop import cursor
from api.shop.entities import UNREADABLE, Entity, catalogue
from api.shop.examples import row as example
from api.shop.service import Catalogue, Catalogues
from schemas.contract.types import INSTANT, TEXT
from schemas.derive.validation import Finding

WHY = {
    "type": "object", "additionalProperties": {"type": "string"},
    "description": "Columns whose value cannot be shown, such as an infinite time, and why. They are null then.",
}  # fmt: skip
ROUTER = APIRouter(tags=["catalogue"])
PAGE, MAX_PAGE = 50, 500
MAX_BYTES = 64_000
TEXT_KEY = Annotated[str, Path(description="Its key.", min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
CURSOR = {"next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last."}}

Writer = Annotated[Key, Depends(needs("write:catalogue"))]
Endpoint = Callable[..., Awaitable[Response]]


def _answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), status, headers, "application/json")


def _of(request: Request, entity: Entity) -> Catalogue:
    return backends_of(request).service(Catalogues).of(entity)


def _error(finding: Finding) -> dict[str, str]:
    return {"pointer": finding.pointer, "rule": finding.rule, "detail": finding.sentence}


def _refuse(findings: list[Finding]) -> None:
    if findings:
        raise invalid([_error(finding) for finding in findings])


def _changed(request: Request, entity: Entity, key: str, *, is_there: bool) -> None:
    backends_of(request).service(Catalogues).changed(entity, key, is_there=is_there)


def _create(entity: Entity) -> Endpoint:
    async def create(request: Request, key: Writer) -> Response:
        NOTHING.read(request)
        value = await bodies.read(request, MAX_BYTES)
        row, findings = entity.read(value)
        _refuse(findings)
        created = await _of(request, entity).create(row)
        _changed(request, entity, created[entity.key], is_there=True)
        where = f"/v1/{entity.plural}/{created[entity.key]}"
        return _answer(entity.shown(created, personal=key.may("personal")), 201, {"Location": where})

    return create


def _get(entity: Entity) -> Endpoint:
    async def get(request: Request, key: Reader, name: TEXT_KEY) -> Response:
        NOTHING.read(request)
        row = await _of(request, entity).get(name)
        return _answer(entity.shown(row, personal=key.may("personal")))

    return get


def _update(entity: Entity) -> Endpoint:
    async def update(request: Request, key: Writer, name: TEXT_KEY) -> Response:
        NOTHING.read(request)
        value = await bodies.read(request, MAX_BYTES)
        row, findings = entity.read(value, partial=True)
        if not findings and row.pop(entity.key, name) != name:
            findings.append(Finding((entity.key,), f"{entity.key}.fixed", f"{entity.key} cannot be changed"))
        if not findings and not row:
            findings.append(Finding((), "record.empty", "nothing is to be changed: the body names no other column"))
        _refuse(findings)
        changed = await _of(request, entity).update(name, row)
        _changed(request, entity, name, is_there=True)
        return _answer(entity.shown(changed, personal=key.may("personal")))

    return update


def _delete(entity: Entity) -> Endpoint:
    async def delete(request: Request, _: Writer, name: TEXT_KEY) -> Response:
        NOTHING.read(request)
        await _of(request, entity).delete(name)
        _changed(request, entity, name, is_there=False)
        return Response(status_code=204)

    return delete


def _parameters(entity: Entity) -> Parameters:
    filters = (Parameter(c.name, c.type, f"Only those with just this. {c.description}") for c in entity.filters)
    return Parameters(
        *filters,
        Parameter("updated_since", INSTANT, "Only those changed since then.", example="2026-01-31T09:30:00Z"),
        Parameter("sort", TEXT, f"One of {', '.join(entity.sorted_by)}; with a minus the greatest first.",
                  default=entity.key, choices=tuple(s + c for c in entity.sorted_by for s in ("", "-"))),
        Parameter("cursor", TEXT, "`next` of the page before."),
        limit(PAGE, MAX_PAGE),
    )  # fmt: skip


def _list(entity: Entity, parameters: Parameters) -> Endpoint:
    personal = {c.name for c in entity.contract.columns if c.personal}

    async def page(request: Request, key: Reader) -> Response:
        given = parameters.read(request)
        most, where = given.pop("limit"), given.pop("cursor", None)
        order = cursor.order(entity, given.pop("sort"))
        _may_ask(key, personal & given.keys())
        after = cursor.read(where, order, given, entity) if where is not None else None
        since = given.pop("updated_since", None)
        rows, more = await _of(request, entity).page(order, given, since, after, most)
        shown = [entity.shown(row, personal=key.may("personal")) for row in rows]
        return _answer({"items": shown, "next": more})

    return page


def _may_ask(key: Key, personal: set[str]) -> None:
    """A filter by a masked column would reveal its values."""
    if personal and not key.may("personal"):
        raise Problem(403, "scope", f"This key may not filter by {', '.join(sorted(personal))}: it lacks personal.")


def _add(entity: Entity) -> None:
    one, many = entity.one, entity.plural
    kind = one.capitalize()
    shown = {
        "title": kind, "type": "object", "required": [c.name for c in entity.contract.columns],
        "properties": {c.name: column_schema(c, answered=True) for c in entity.contract.columns} | {UNREADABLE: WHY},
    }  # fmt: skip
    body = {
        "title": f"New{kind}", "type": "object", "additionalProperties": False,
        "required": [c.name for c in entity.written if not c.optional and c.type.name != "FLAG"],
        "properties": {c.name: column_schema(c, answered=False) for c in entity.written},
    }  # fmt: skip
    changed = {c.name: column_schema(c, answered=False) for c in entity.written if not c.key}
    patch = body | {"title": f"{kind}Changes", "required": [], "minProperties": 1, "properties": changed}
    given, kept = example(entity), example(entity, kept=True)
    changes = {name: given[name] for name in ("name",) if name in given}
    parameters = _parameters(entity)
    path, row_path = f"/v1/{many}", f"/v1/{many}/{{name}}"
    add = ROUTER.add_api_route
    add(
        path,
        _list(entity, parameters),
        methods=["GET"],
        name=f"list_{many}",
        summary=f"List {many}",
        description="Page by page: give `next` of one page as `cursor` of the next. Changes meanwhile skip no row.",
        openapi_extra=described(
            listed(f"{kind}Page", shown, **CURSOR), {"items": [kept], "next": None}, parameters=parameters.described()
        ),
    )
    add(
        path,
        _create(entity),
        methods=["POST"],
        name=f"create_{one}",
        summary=f"Create a {one}",
        status_code=201,
        openapi_extra=described(
            shown,
            kept,
            status=201,
            body=body,
            body_example=given,
            errors=[409],
            answer="Made.",
            headers={"Location": "Its path."},
        ),
    )
    add(
        row_path,
        _get(entity),
        methods=["GET"],
        name=f"get_{one}",
        summary=f"One {one}",
        openapi_extra=described(shown, kept, errors=[404]),
    )
    add(
        row_path,
        _update(entity),
        methods=["PATCH"],
        name=f"update_{one}",
        summary=f"Change a {one}",
        description="A merge patch (RFC 7396): what is not named stays, null empties an optional column.",
        openapi_extra=described(shown, kept, body=patch, body_example=changes, errors=[404, 409], answer="Changed."),
    )
    add(row_path, _delete(entity), methods=["DELETE"], name=f"delete_{one}", summary=f"Delete a {one}",
        status_code=204,
        openapi_extra=described({}, None, status=204, errors=[404, 409, 507], answer="Deleted."))  # fmt: skip


for _entity in catalogue().values():
    _add(_entity)
