"""Logical types: one row a type, with its name in every system that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class LogicalType:
    """What a column means, and how Spark, ClickHouse and JSON write it.

    `fake` names the generator of `schemas.derive.fakes` that makes values of this type.
    """

    name: str
    spark: str
    clickhouse: str
    json: Mapping[str, Any]
    fake: str
    article: str = field(default="")

    def __str__(self) -> str:
        return self.name


def _row(name: str, spark: str, clickhouse: str, json: Mapping[str, Any], fake: str, article: str) -> LogicalType:
    return LogicalType(name, spark, clickhouse, json, fake, article)


STRING = {"type": "string"}
MONEY_SCALE = 4

#                name        Spark              ClickHouse               JSON                                  fake       in a sentence
ID = _row("ID", "string", "String", STRING, "id", "a text that is not empty")
CODE = _row("CODE", "string", "LowCardinality(String)", STRING, "code", "a short code")
TEXT = _row("TEXT", "string", "String", STRING, "text", "a text")
DAY = _row("DAY", "date", "Date32", {"type": "string", "format": "date"}, "day", "a day, YYYY-MM-DD")
INSTANT = _row(
    "INSTANT", "timestamp", "DateTime64(6, 'UTC')", {"type": "string", "format": "date-time"}, "instant",
    "a time with its zone, like 2026-01-31T09:30:00Z",
)  # fmt: skip
COUNT = _row("COUNT", "bigint", "Int64", {"type": "integer"}, "count", "a whole number")
MONEY = _row(
    "MONEY", "decimal(18,4)", "Decimal(18, 4)", {"type": ["number", "string"]}, "money",
    "an amount of at most 14 digits before and 4 after the point",
)  # fmt: skip
NUMBER = _row("NUMBER", "double", "Float64", {"type": "number"}, "number", "a number")
FLAG = _row("FLAG", "boolean", "Bool", {"type": "boolean"}, "flag", "true or false")
BYTES = _row("BYTES", "binary", "String", STRING, "bytes", "bytes")
HEADERS = _row(
    "HEADERS", "array<struct<key:string,value:binary>>", "Array(Tuple(key String, value String))",
    {"type": "array"}, "headers", "Kafka headers",
)  # fmt: skip


ALL = (ID, CODE, TEXT, DAY, INSTANT, COUNT, MONEY, NUMBER, FLAG, BYTES, HEADERS)
LIST = _row("LIST", "", "", {"type": "array"}, "list", "a list")
