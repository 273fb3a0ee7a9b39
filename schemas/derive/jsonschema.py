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
    made: dict[str, Any] = {"$schema": DIALECT, "$id": f"urn:sauda:event:{event.event_type}", "title": event.event_type}
    made |= _object(event)
    if records:
        made["$defs"] = records
    return made


def _object(contract: Contract) -> dict[str, Any]:
    return {
        "description": _with_rules(contract.description, contract.rules),
        "type": "object",
        "required": [c.name for c in contract.columns if not c.optional],
        "properties": {c.name: _property(c) for c in contract.columns},
        "additionalProperties": True,
    }


def _property(column: Column) -> dict[str, Any]:
    made: dict[str, Any] = {"description": _with_rules(column.description, [r for r in column.rules if not r.json])}
    made |= column.type.json
    if column.items is not None:
        made["items"] = {"$ref": f"#/$defs/{column.items.name}"}
    for rule in column.rules:
        _add(made, rule.json)
    return _or_null(made) if column.optional else made


def _add(made: dict[str, Any], facets: Mapping[str, Any]) -> None:
    """Two rules may speak of one facet, such as two patterns: the second goes under ``allOf``."""
    if any(key in made and made[key] != value for key, value in facets.items()):
        made.setdefault("allOf", []).append(dict(facets))
    else:
        made.update(facets)


def _or_null(made: dict[str, Any]) -> dict[str, Any]:
    """A field that may be left out may also be null: Spark reads both alike."""
    types = made["type"] if isinstance(made["type"], list) else [made["type"]]
    made["type"] = [*types, "null"]
    for facets in (made, *made.get("allOf", ())):
        if "enum" in facets:
            facets["enum"] = [*facets["enum"], None]
    return made


def _with_rules(description: str, rules: Iterable[RowRule | Rule]) -> str:
    said = (f"It {rule.sentence}." if isinstance(rule, Rule) else f"{rule.sentence}." for rule in rules)
    return " ".join([description, *said])
