"""Spark schemas of tables. How an event is parsed stands in `schemas.derive.quarantine`."""

from __future__ import annotations

import re
from typing import Any

from schemas.contract import Column, Contract

_JSON_NAMES = {"bigint": "long", "int": "integer", "smallint": "short", "tinyint": "byte"}


def ident(name: str) -> str:
    """A name as Spark, Delta and ClickHouse all take it."""
    return f"`{name}`"


def schema_ddl(contract: Contract) -> str:
    """The table's columns in contract order, NOT NULL where they are required."""
    return ", ".join(
        f"{ident(c)} {_table_type(c)}{'' if c.optional else ' NOT NULL'}" for c in contract.columns
    )  # fmt: skip


def schema_json(contract: Contract) -> dict[str, Any]:
    """The table's columns as ``StructType.fromJson`` reads them and ``StructType.jsonValue`` writes them."""
    return {
        "type": "struct",
        "fields": [field_json(c.name, _table_type(c), nullable=c.optional) for c in contract.columns],
    }


def field_json(name: str, type_text: str, *, nullable: bool) -> dict[str, Any]:
    """One field of a StructType."""
    return {"name": name, "type": type_json(type_text), "nullable": nullable, "metadata": {}}


def type_json(text: str) -> str | dict[str, Any]:
    """A type in Spark's JSON form, from its short form such as ``array<struct<key:string,value:binary>>``."""
    text = text.strip()
    outer, bracket, rest = text.partition("<")
    if not bracket:
        return _JSON_NAMES.get(text, text)
    inner = rest[:-1]
    if outer == "array":
        return {"type": "array", "elementType": type_json(inner), "containsNull": True}
    if outer == "struct":
        fields = (part.partition(":") for part in _split(inner))
        return {"type": "struct", "fields": [field_json(name.strip(), t, nullable=True) for name, _, t in fields]}
    raise ValueError(f"no JSON form is known for the Spark type {text!r}")


def type_text(json: str | dict[str, Any]) -> str:
    """The short form of a type in Spark's JSON form; the inverse of `type_json`."""
    if isinstance(json, str):
        names = {long: short for short, long in _JSON_NAMES.items()}
        return names.get(json, json)
    if json["type"] == "array":
        return f"array<{type_text(json['elementType'])}>"
    if json["type"] == "struct":
        return f"struct<{','.join(f['name'] + ':' + type_text(f['type']) for f in json['fields'])}>"
    return str(json["type"])


def _table_type(column: Column) -> str:
    if not column.type.spark:
        raise ValueError(f"{column} is a {column.type}, which only an event can hold")
    return column.type.spark


def _split(text: str) -> list[str]:
    """Split at the commas that stand in no bracket."""
    return re.findall(r"(?:[^,<(]|<(?:[^<>]|<[^<>]*>)*>|\([^)]*\))+", text)
