"""OpenAPI 3.1: what the framework finds, completed by what every path shares."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

VERSION = "0.1.0"
ABOUT = (
    "Write sellers, products, customers and purchases; read what became of them. A request carries its key as "
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


def document(made: FastAPI) -> dict[str, Any]:
    """The document of the application, made once."""
    if made.openapi_schema:
        return made.openapi_schema
    found = get_openapi(
        title=made.title, version=made.version, description=made.description, tags=made.openapi_tags,
        routes=made.routes, openapi_version="3.1.0",
    )  # fmt: skip
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    made.openapi_schema = found
    return found
