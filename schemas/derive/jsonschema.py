"""JSON Schema (draft 2020-12) of an event: what a producer may send, for programs and for documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.contract import Column, Contract
from schemas.contract.rules import RowRule, Rule

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(event: Contract) -> dict[str, Any]:
    """The event's schema; records of its lists stand in ``$defs``.

    Unknown fields are allowed, because the streams ignore them: a producer may add a field before Sauda knows it.
    What JSON Schema can't say (a rule over several fields, a bound that moves) stands in the descriptions.
    """
    records = {c.items.name: _object(c.items) for c in event.columns if c.items is not None}
    document: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"urn:sauda:event:{event.event_type}",
        "title": event.event_type,
    }
    document |= _object(event)
    if records:
        document["$defs"] = records
    return document


def _object(contract: Contract) -> dict[str, Any]:
    return {
        "description": _with_rules(contract.description, contract.rules),
        "type": "object",
        "required": [c.name for c in contract.columns if not c.optional],
        "properties": {c.name: _property(c) for c in contract.columns},
        "additionalProperties": True,
    }


def _property(column: Column) -> dict[str, Any]:
    document: dict[str, Any] = {"description": _with_rules(column.description, [r for r in column.rules if not r.json])}
    document |= column.type.json
    if column.items is not None:
        document["items"] = {"$ref": f"#/$defs/{column.items.name}"}
    for rule in column.rules:
        _add(document, rule.json)
    return _or_null(document) if column.optional else document


def _add(document: dict[str, Any], facets: Mapping[str, Any]) -> None:
    """Two rules may speak of one facet, such as two patterns: the second goes under ``allOf``."""
    if any(key in document and document[key] != value for key, value in facets.items()):
        document.setdefault("allOf", []).append(dict(facets))
    else:
        document.update(facets)


def _or_null(document: dict[str, Any]) -> dict[str, Any]:
    """A field that may be left out may also be null: Spark reads both alike."""
    types = document["type"] if isinstance(document["type"], list) else [document["type"]]
    document["type"] = [*types, "null"]
    for facets in (document, *document.get("allOf", ())):
        if "enum" in facets:
            facets["enum"] = [*facets["enum"], None]
    return document


def _with_rules(description: str, rules: Iterable[RowRule | Rule]) -> str:
    sentences = (f"It {rule.sentence}." if isinstance(rule, Rule) else f"{rule.sentence}." for rule in rules)
    return " ".join([description, *sentences])
