"""OpenAPI 3.1: what FastAPI generates, completed by what every path shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from api.http.problems import MEDIA
from schemas.contract import Column

VERSION = "0.1.0"
ABOUT = (
    "Write the data of each domain, and read what became of it. A request carries its key as "
    "`Authorization: Bearer KEY`. Every error is a problem document (RFC 9457)."
)
PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:sauda:problem:invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence: what was found, what was expected."},
        "instance": {"type": "string", "description": "By which the log can be searched."},
        "errors": {
            "type": "array",
            "description": "The single findings: where (a JSON pointer, or a parameter), the rule, and its sentence.",
            "items": {
                "type": "object",
                "required": ["rule", "detail"],
                "properties": {
                    "pointer": {"type": "string", "examples": ["/lines/0/quantity"]},
                    "parameter": {"type": "string"},
                    "rule": {"type": "string", "examples": ["lines.quantity.not_zero"]},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


JSON = "application/json"
STATUSES = {
    400: "The body is not JSON.",
    401: "No valid key.",
    403: "The key lacks the scope.",
    404: "Not found.",
    405: "The path does not accept this method.",
    408: "The body arrived too slowly.",
    409: "Other rows stand in the way, or the number is taken by other content.",
    413: "The body is too large.",
    415: "The Content-Type is not JSON.",
    421: "The request's Host is not a name of this service.",
    422: "A rule is broken; the errors name the field and the rule.",
    429: "Too many requests with this key; Retry-After says when to try again.",
    500: "Internal error.",
    503: "A backend is not available; Retry-After says when to try again.",
    507: "Too little disk space; Retry-After says when to try again.",
}
ALWAYS = (405, 421, 500)
KEYED = (401, 403, 422, 429, 503)
"""Every path that needs a key can answer these."""
BODIED = (400, 408, 413, 415, 507)
"""And every one that takes a body."""


def described(
    schema: Mapping[str, Any], example: Any, *, status: int = 200, body: Mapping[str, Any] | None = None,
    body_example: Any = None, parameters: Sequence[Mapping[str, Any]] = (), errors: Sequence[int] = (),
    headers: Mapping[str, str] | None = None, answer: str = "Found.", also: Mapping[int, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What OpenAPI shows of a path (``openapi_extra``), for our endpoints read requests and write answers themselves.

    `headers` are those of a good answer, with their descriptions. `also` are other good answers of the same shape.
    """
    good: dict[str, Any] = {"description": answer}
    if schema:
        good["content"] = {JSON: {"schema": schema, "example": example}}
    if headers:
        good["headers"] = {n: {"description": d, "schema": {"type": "string"}} for n, d in headers.items()}
    answers = {str(status): good} | {str(s): good | {"description": words} for s, words in (also or {}).items()}
    for code in sorted({*ALWAYS, *KEYED, *errors, *(BODIED if body is not None else ())}):
        answers[str(code)] = {"$ref": f"#/components/responses/Problem{code}"}
    operation: dict[str, Any] = {"security": [{"key": []}], "responses": answers, "parameters": list(parameters)}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": body, "example": body_example}}}
    return operation


def listed(name: str, item: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """The schema of an answer with items."""
    return {
        "title": name, "type": "object", "required": ["items", *others],
        "properties": {"items": {"type": "array", "items": item}, **others},
    }  # fmt: skip


def column_schema(column: Column, *, answered: bool) -> dict[str, Any]:
    """A column in JSON Schema. Amounts are answered as texts, and null where a value cannot be shown."""
    schema: dict[str, Any] = {"description": column.description} | dict(column.type.json)
    if answered and column.type.name in ("MONEY", "SUM"):
        schema["type"] = "string"
    if not answered or not column.personal:
        for rule in column.rules:
            schema |= rule.json
    if column.optional or (answered and column.type.name in ("INSTANT", "MONEY")):
        schema["type"] = [*(schema["type"] if isinstance(schema["type"], list) else [schema["type"]]), "null"]
    return schema


def named(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema by whose name the document refers to it: clients are made with a class of that name."""
    return {"title": name} | dict(schema)


def operation_id(route: APIRoute) -> str:
    """The name of the method that a client is made with: ``list_sellers`` is ``listSellers``."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _hoisted(part: Any, schemas: dict[str, Any]) -> Any:
    """The part with a reference for each schema that has a name; these are put into `schemas`."""
    if isinstance(part, list):
        return [_hoisted(each, schemas) for each in part]
    if not isinstance(part, dict):
        return part
    kept = ("example", "examples", "parameters")
    members = {name: each if name in kept else _hoisted(each, schemas) for name, each in part.items()}
    name = members.get("title")
    if not (isinstance(name, str) and name.isidentifier() and "type" in members):
        return members
    del members["title"]
    if schemas.setdefault(name, members) != members:
        raise ValueError(f"two schemas are called {name}")
    return {"$ref": f"#/components/schemas/{name}"}


def document(application: FastAPI, routes: Iterable[BaseRoute]) -> dict[str, Any]:
    """The document of the application, made once. `routes` are those that describe themselves."""
    if application.openapi_schema:
        return application.openapi_schema
    document = get_openapi(
        title=application.title, version=application.version, description=application.description,
        tags=application.openapi_tags, routes=application.routes, openapi_version="3.1.0",
    )  # fmt: skip
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key of `./start.sh keys create NAME --scope …`."}
    }
    components["responses"] = {f"Problem{status}": _problem(status) for status in STATUSES}
    for route in routes:
        if isinstance(route, APIRoute) and route.openapi_extra:
            # FastAPI adds its own answers, and drops every null of an example.
            described = {name: part for name, part in route.openapi_extra.items() if name != "parameters"}
            for method in route.methods or ():
                document["paths"][route.path_format][method.lower()] |= described
    document["paths"] = _hoisted(document["paths"], schemas)
    application.openapi_schema = document
    return document


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": STATUSES[status],
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
