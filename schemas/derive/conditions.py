"""The conditions of row rules, evaluated in Python: they are SQL, and fakes and tests must keep them without Spark.

Known are comparisons, arithmetic, AND, OR, NOT, IN, IS NULL, texts in single quotes and the functions of `FUNCTIONS`.
A condition is turned into a Python expression, which is then walked; null is unknown, as in SQL.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

Row = Mapping[str, Any]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "length": len,
    "size": len,
    "greatest": max,
    "least": min,
    "to_date": lambda v: v.date() if isinstance(v, datetime) else v,
    "year": lambda v: v.year,
    "month": lambda v: v.month,
}
_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Mod: operator.mod,
}  # fmt: skip
_TOKEN = re.compile(r"\s*('(?:[^'\\]|\\.)*'|\d+(?:\.\d+)?|[A-Za-z_]\w*|<=|>=|<>|!=|[-+*/%=<>(),])")
_PYTHON = {"=": "==", "<>": "!=", "AND": "and", "OR": "or", "NOT": "not", "IN": "in", "IS": "is", "NULL": "None",
           "TRUE": "True", "FALSE": "False"}  # fmt: skip


def holds(condition: str, row: Row) -> bool | None:
    """Whether the row keeps the condition; None where SQL says null. Raises ValueError for what is not known here."""
    answer: bool | None = _value(_parsed(condition), row)
    return answer


def settings(condition: str) -> list[tuple[str, Callable[[Row], Any]]]:
    """The condition's equalities ``column = expression`` that must hold in every row, as the column and its value."""
    body = _parsed(condition)
    parts = body.values if isinstance(body, ast.BoolOp) and isinstance(body.op, ast.And) else [body]
    return [
        (part.left.id, lambda row, wanted=part.comparators[0]: _value(wanted, row))  # type: ignore[misc]
        for part in parts
        if isinstance(part, ast.Compare) and isinstance(part.left, ast.Name) and isinstance(part.ops[0], ast.Eq)
    ]


@lru_cache(maxsize=256)
def _parsed(condition: str) -> ast.expr:
    words, at = [], 0
    while condition[at:].strip():
        token = _TOKEN.match(condition, at)
        if token is None:
            raise _unknown(condition[at:].strip(), condition)
        words.append(_PYTHON.get(token[1].upper(), token[1]))
        at = token.end()
    try:
        return ast.parse(" ".join(words), mode="eval").body
    except SyntaxError:
        raise _unknown(condition, condition) from None


def _unknown(what: str, condition: str) -> ValueError:
    return ValueError(f"{__name__} does not know {what!r} in the condition {condition!r}")


def _value(node: ast.expr, row: Row) -> Any:
    match node:
        case ast.Constant(value):
            return Decimal(repr(value)) if isinstance(value, float) else value
        case ast.Name(id=name):
            found = row[name]
            # Floats become decimals, so that they can be added to amounts.
            return Decimal(repr(found)) if isinstance(found, float) else found
        case ast.BoolOp(op, values):
            if isinstance(op, ast.Or):
                return _any(_value(v, row) for v in values)
            return _not(_any(_not(_value(v, row)) for v in values))
        case ast.UnaryOp(ast.Not(), operand):
            return _not(_value(operand, row))
        case ast.UnaryOp(ast.USub(), operand):
            return _apply(operator.neg, _value(operand, row))
        case ast.Compare(left, [ast.Is()], [ast.Constant(None)]):
            return _value(left, row) is None
        case ast.Compare(left, [ast.IsNot()], [ast.Constant(None)]):
            return _value(left, row) is not None
        case ast.Compare(left, [ast.In() | ast.NotIn() as op], [choices]):
            listed = choices.elts if isinstance(choices, ast.Tuple) else [choices]
            found = _any(_apply(operator.eq, _value(left, row), _value(c, row)) for c in listed)
            return found if isinstance(op, ast.In) else _not(found)
        case ast.Compare(left, [op], [right]) | ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            return _apply(_OPERATORS[type(op)], _value(left, row), _value(right, row))
        case ast.Call(ast.Name(id=name), arguments) if name.lower() == "coalesce":
            return next((v for a in arguments if (v := _value(a, row)) is not None), None)
        case ast.Call(ast.Name(id=name), arguments) if name.lower() in FUNCTIONS:
            return _apply(FUNCTIONS[name.lower()], *(_value(a, row) for a in arguments))
    raise _unknown(ast.unparse(node), ast.unparse(node))


def _apply(function: Callable[..., Any], *values: Any) -> Any:
    if any(value is None for value in values):
        return None
    zone = next((v.tzinfo for v in values if isinstance(v, datetime)), None)
    if zone is not None:
        # SQL compares a day with an instant as the start of the day.
        values = tuple(datetime(v.year, v.month, v.day, tzinfo=zone) if type(v) is date else v for v in values)
    return function(*values)


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _any(values: Iterable[bool | None]) -> bool | None:
    unknown = False
    for value in values:
        if value:
            return True
        unknown = unknown or value is None
    return None if unknown else False
