"""Logical types: one row a type, with its name in every system that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class LogicalType:
    """What a column means, and how Spark, ClickHouse, PostgreSQL and JSON write it.

    `fake` names the generator of `schemas.derive.fakes` that makes values of this type.
    """

    name: str
    spark: str
    clickhouse: str
    postgres: str
    json: Mapping[str, Any] = field(hash=False)
    fake: str
    article: str

    def __str__(self) -> str:
        return self.name


STRING = {"type": "string"}
MONEY_SCALE = 4
# As a producer may write it in quotes, where its JSON library would make a binary fraction of a number.
MONEY_TEXT = r"^-?[0-9]{1,14}([.][0-9]{1,4})?$"

RATE_SCALE = 12
RATE_TEXT = r"^[0-9]{1,6}([.][0-9]{1,12})?$"

#          name  Spark     ClickHouse  PostgreSQL  JSON    fake  in a sentence
ID = LogicalType("ID", "string", "String", "text", STRING, "id", "a text that is not empty")
CODE = LogicalType("CODE", "string", "LowCardinality(String)", "text", STRING, "code", "a short code")
TEXT = LogicalType("TEXT", "string", "String", "text", STRING, "text", "a text")
DAY = LogicalType(
    "DAY", "date", "Date32", "date", {"type": "string", "format": "date"}, "day", "a day, YYYY-MM-DD"
)  # fmt: skip
INSTANT = LogicalType(
    "INSTANT", "timestamp", "DateTime64(6, 'UTC')", "timestamp with time zone",
    {"type": "string", "format": "date-time"}, "instant",
    "a time with its zone, like 2026-01-31T09:30:00Z",
)  # fmt: skip
COUNT = LogicalType("COUNT", "bigint", "Int64", "bigint", {"type": "integer"}, "count", "a whole number")
MONEY = LogicalType(
    "MONEY", "decimal(18,4)", "Decimal(18, 4)", "numeric(18,4)",
    {"type": ["number", "string"], "pattern": MONEY_TEXT}, "money",
    "an amount of at most 14 digits before and 4 after the point",
)  # fmt: skip
# Of sums that may pass what MONEY holds: a purchase is worth up to 10^12, and in another currency it has other digits.
SUM = LogicalType(
    "SUM", "decimal(38,4)", "Decimal(38, 4)", "numeric(38,4)",
    {"type": ["number", "string"], "pattern": r"^-?[0-9]{1,34}([.][0-9]{1,4})?$"}, "money",
    "an amount of at most 34 digits before and 4 after the point",
)  # fmt: skip
RATE = LogicalType(
    "RATE", "decimal(18,12)", "Decimal(18, 12)", "numeric(18,12)",
    {"type": ["number", "string"], "pattern": RATE_TEXT}, "rate",
    "a number above zero, of at most 6 digits before and 12 after the point",
)  # fmt: skip
NUMBER = LogicalType("NUMBER", "double", "Float64", "double precision", {"type": "number"}, "number", "a number")
FLAG = LogicalType("FLAG", "boolean", "Bool", "boolean", {"type": "boolean"}, "flag", "true or false")
BYTES = LogicalType("BYTES", "binary", "String", "bytea", STRING, "bytes", "bytes")
HEADERS = LogicalType(
    "HEADERS", "array<struct<key:string,value:binary>>", "Array(Tuple(key String, value String))", "",
    {"type": "array"}, "headers", "Kafka headers",
)  # fmt: skip
LIST = LogicalType("LIST", "", "", "", {"type": "array"}, "list", "a list")
ALL = (ID, CODE, TEXT, DAY, INSTANT, COUNT, MONEY, SUM, RATE, NUMBER, FLAG, BYTES, HEADERS, LIST)
