"""Query parameters: declared once, read strictly, shown in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from api.http.problems import parameter
from schemas.contract.types import COUNT, DAY, FLAG, LogicalType
from schemas.derive.validation import typed

MAX_LENGTH = 500


@dataclass(frozen=True)
class Parameter:
    """One parameter. `low` and `high` bound a whole number; `choices` are the only texts that are accepted."""

    name: str
    type: LogicalType
    description: str
    example: Any = None
    default: Any = None
    low: int = 1
    high: int = 1
    choices: tuple[str, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """As OpenAPI shows it."""
        facets = {k: v for k, v in self.type.json.items() if k != "pattern"}
        schema: dict[str, Any] = {"type": "string", "maxLength": MAX_LENGTH} | facets
        if isinstance(schema["type"], list):
            schema["type"] = "string"
        if self.type.name in ("COUNT", "FLAG", "DAY", "INSTANT"):
            schema.pop("maxLength")
        if self.type is COUNT:
            schema |= {"minimum": self.low, "maximum": self.high}
        if self.choices:
            schema["enum"] = list(self.choices)
        if self.default is not None:
            schema["default"] = self.default
        parameter: dict[str, Any] = {
            "name": self.name, "in": "query", "required": False, "description": self.description,
            "schema": schema | dict(self.schema),
        }  # fmt: skip
        if self.example is not None:
            parameter["example"] = self.example
        return parameter

    def read(self, text: str) -> Any:
        """The value of a text. Raises a Problem (422)."""
        if self.choices and text not in self.choices:
            raise parameter(self.name, f"{self.name} must be one of {', '.join(self.choices)}.")
        if len(text) > MAX_LENGTH or "\0" in text:
            raise parameter(self.name, f"{self.name} must be at most {MAX_LENGTH} characters, none of them NUL.")
        value: Any = text
        if self.type is COUNT:
            # Python accepts digits of every script, and underscores between them.
            value = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
        elif self.type is FLAG:
            value = {"true": True, "false": False}.get(text)
        value = typed(self.type, value)
        if value is None:
            raise parameter(self.name, f"{self.name} must be {self.type.article}; found {text[:80]!r}.")
        if self.type is COUNT and not self.low <= value <= self.high:
            raise parameter(self.name, f"{self.name} must be from {self.low:,} to {self.high:,}; found {text!r}.")
        return value


class Parameters:
    """All parameters of one path."""

    def __init__(self, *known: Parameter) -> None:
        self.known = {each.name: each for each in known}

    def described(self) -> list[dict[str, Any]]:
        return [each.described() for each in self.known.values()]

    def read(self, request: Request) -> dict[str, Any]:
        """The given values and the defaults. Raises a Problem (422): unknown names, repeated names, wrong values."""
        values = {name: each.default for name, each in self.known.items() if each.default is not None}
        if not request.scope["query_string"]:
            return values
        given: set[str] = set()
        for name, text in request.query_params.multi_items():
            if name not in self.known:
                raise parameter(
                    name[:80], f"{name[:80]!r} is not a parameter of this path; it has {_listed(self.known)}."
                )
            if name in given:
                raise parameter(name, f"{name} is given twice.")
            given.add(name)
            values[name] = self.known[name].read(text)
        return values


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def period() -> tuple[Parameter, Parameter]:
    """From which day to which, both of them in it."""
    return (
        Parameter("since", DAY, "First day, UTC.", example="2026-01-01"),
        Parameter("until", DAY, "Last day, UTC.", example="2026-01-31"),
    )


def limit(default: int, most: int) -> Parameter:
    return Parameter("limit", COUNT, "At most so many rows.", default=default, high=most)


def in_order(values: Mapping[str, Any]) -> None:
    """Raises a Problem (422) where a period ends before it begins."""
    if values.get("since") and values.get("until") and values["until"] < values["since"]:
        raise parameter("until", "until must not be before since.")


NOTHING = Parameters()
