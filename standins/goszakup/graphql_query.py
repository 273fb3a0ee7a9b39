"""Reads GraphQL queries of the kind that the service's clients send: fields with arguments, aliases and variables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}()\[\]:$!=]|-?\d+(?:\.\d+)?|[A-Za-z_]\w*|\.\.\.')
IGNORED = re.compile(r"(?:[\s,\ufeff]|#[^\n]*)*")


class QueryError(Exception):
    """The query cannot be read or names what is not there; the message says what."""


@dataclass(frozen=True)
class Field:
    """One selected field: its name in the answer, its name, its arguments, its own fields."""

    alias: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()


def read_query(text: str, variables: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields at the root of the first operation; raises QueryError."""
    reader = _Reader(_tokens(text), variables)
    if reader.peek() in ("query", "mutation", "subscription"):
        if reader.next() != "query":
            raise QueryError("The service has queries only.")
        while reader.peek() not in ("{", ""):
            reader.next()
    return reader.selection()


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    while True:
        blank = IGNORED.match(text, at)
        at = blank.end() if blank else at
        if at >= len(text):
            return found
        token = TOKEN.match(text, at)
        if not token:
            raise QueryError(f"Syntax Error: Unexpected character {text[at]!r} at {at}.")
        found.append(token.group())
        at = token.end()


@dataclass
class _Reader:
    tokens: list[str]
    variables: Mapping[str, Any]
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def expect(self, wanted: str) -> None:
        token = self.next()
        if token != wanted:
            raise QueryError(f"Syntax Error: Expected {wanted}, found {token or '<EOF>'}.")

    def name(self) -> str:
        token = self.next()
        if not token.isidentifier():
            raise QueryError(f"Syntax Error: Expected Name, found {token or '<EOF>'}.")
        return token

    def selection(self) -> tuple[Field, ...]:
        self.expect("{")
        found = []
        while self.peek() != "}":
            alias = name = self.name()
            if self.peek() == ":":
                self.next()
                name = self.name()
            arguments = self.arguments() if self.peek() == "(" else {}
            found.append(Field(alias, name, arguments, self.selection() if self.peek() == "{" else ()))
        self.expect("}")
        return tuple(found)

    def arguments(self) -> dict[str, Any]:
        self.expect("(")
        return self.pairs(")")

    def pairs(self, end: str) -> dict[str, Any]:
        found = {}
        while self.peek() != end:
            name = self.name()
            self.expect(":")
            found[name] = self.value()
        self.expect(end)
        return found

    def value(self) -> Any:
        token = self.next()
        if token == "$":
            return self.variables.get(self.name())
        if token == "{":
            return self.pairs("}")
        if token == "[":
            items = []
            while self.peek() not in ("]", ""):
                items.append(self.value())
            self.expect("]")
            return items
        if token in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[token]
        if token.isidentifier():
            return token
        try:
            return json.loads(token)
        except ValueError:
            raise QueryError(f"Syntax Error: Unexpected {token or '<EOF>'}.") from None
