"""JSON Schema of an event."""

import json
from typing import Any

import pytest

from schemas.contract import events
from schemas.contract.types import MONEY_TEXT
from schemas.derive.fakes import fake_event
from schemas.derive.jsonschema import DIALECT, json_schema
from tests.support.json_schema_facets import CHECKS, allows
from tests.support.sample_contracts import SAMPLE_EVENT

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "null": (type(None),), "object": (dict,),
}  # fmt: skip
BOUND_TO = {"number": {"minimum", "maximum"}, "string": {"minLength", "maxLength", "pattern"},
            "array": {"minItems", "maxItems"}}  # fmt: skip


def test_the_schema_says_what_a_producer_may_send() -> None:
    assert json_schema(SAMPLE_EVENT) == {
        "$schema": DIALECT,
        "$id": "urn:sauda:event:sample",
        "title": "sample",
        "description": "One sample, with its parts. count must be above zero.",
        "type": "object",
        "required": ["sample_id", "taken_at", "count", "bin_code", "parts"],
        "properties": {
            "sample_id": {"description": "The shop's sample.", "type": "string", "minLength": 1, "pattern": r"\S",
                          "maxLength": 20},
            "taken_at": {"description": "When it was taken. It must not be before 2000-01-01.", "type": "string",
                         "format": "date-time"},
            "count": {"description": "How many.", "type": "integer"},
            "bin_code": {"description": "Business number.", "type": "string", "minLength": 1, "pattern": r"\S",
                         "allOf": [{"pattern": "^(?:[0-9]{12})$"}]},
            "colour_code": {"description": "Colour.", "type": ["string", "null"], "enum": ["red", "blue", None]},
            "parts": {"description": "What it is made of.", "type": "array", "items": {"$ref": "#/$defs/Part"},
                      "minItems": 1},
        },
        "additionalProperties": True,
        "$defs": {
            "Part": {
                "description": "One part of a sample. price must be above zero.",
                "type": "object",
                "required": ["part_id"],
                "properties": {
                    "part_id": {"description": "The part.", "type": "string", "minLength": 1, "pattern": r"\S"},
                    "price": {"description": "What it costs.", "type": ["number", "string", "null"],
                              "pattern": MONEY_TEXT, "minimum": 0},
                },
                "additionalProperties": True,
            }
        },
    }  # fmt: skip


def test_making_a_schema_twice_gives_it_twice() -> None:
    assert json_schema(SAMPLE_EVENT) == json_schema(SAMPLE_EVENT)


@pytest.mark.parametrize("event", [SAMPLE_EVENT, *events()], ids=lambda event: event.name)
def test_fake_events_keep_their_schema(event: Any) -> None:
    schema = json_schema(event)
    for seed in range(30):
        assert problems(schema, json.loads(json.dumps(fake_event(event, seed))), schema) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"sample_id": " "}, "sample_id"), ({"sample_id": "x" * 21}, "sample_id"), ({"count": "many"}, "count"),
        ({"bin_code": "123"}, "bin_code"), ({"colour_code": "green"}, "colour_code"), ({"parts": []}, "parts"),
        ({"parts": [{"price": 1}]}, "part_id"), ({"parts": [{"part_id": "a", "price": "much"}]}, "price"),
        ({"parts": [{"part_id": "a", "price": -1}]}, "price"),
    ],
)  # fmt: skip
def test_broken_events_break_it(change: dict[str, Any], problem: str) -> None:
    schema = json_schema(SAMPLE_EVENT)

    assert problems(schema, fake_event(SAMPLE_EVENT, 1) | change, schema) == [problem]


def test_unknown_fields_and_nulls_in_optional_ones_are_allowed() -> None:
    schema = json_schema(SAMPLE_EVENT)

    assert problems(schema, fake_event(SAMPLE_EVENT, 1) | {"new": 1, "colour_code": None}, schema) == []


def problems(schema: dict[str, Any], value: Any, root: dict[str, Any], name: str = "") -> list[str]:
    """The names of the fields that break a schema: as much of JSON Schema as events use."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    actual = [t for t in types if isinstance(value, TYPES[t])]
    if not actual:
        return [name]
    speaks = set(CHECKS) - set().union(*BOUND_TO.values()) | BOUND_TO.get(actual[0].replace("integer", "number"), set())
    for facets in (schema, *schema.get("allOf", ())):
        if not allows({k: v for k, v in facets.items() if k in speaks}, value):
            return [name]
    if actual[0] == "array":
        return [p for element in value for p in problems(schema["items"], element, root, name)]
    if actual[0] != "object":
        return []
    missing = [field for field in schema["required"] if field not in value]
    inner = [(field, s) for field, s in schema["properties"].items() if field in value]
    return missing + [p for field, s in inner for p in problems(s, value[field], root, field)]
