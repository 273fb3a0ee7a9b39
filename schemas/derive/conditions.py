"""The conditions of row rules, evaluated in Python: they are SQL, and fakes and tests must keep them without Spark.

Known are comparisons, arithmetic, AND, OR, NOT, IN, IS NULL, texts in single quotes and the functions of `FUNCTIONS`.
A condition is turned into a Python expression, and that into functions of a row; null is unknown, as in SQL.
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
_Closure = Callable[[Row], Any]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "double": float,
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
    answer: bool | None = _compiled(condition)(row)
    return answer


def settings(condition: str) -> list[tuple[str, Callable[[Row], Any]]]:
    """The condition's equalities ``column = expression`` that must hold in every row, as the column and its value."""
    body = _parsed(condition)
    parts = body.values if isinstance(body, ast.BoolOp) and isinstance(body.op, ast.And) else [body]
    return [
        (part.left.id, _closure(part.comparators[0]))
        for part in parts
        if isinstance(part, ast.Compare) and isinstance(part.left, ast.Name) and isinstance(part.ops[0], ast.Eq)
    ]


@lru_cache(maxsize=256)
def _compiled(condition: str) -> _Closure:
    return _closure(_parsed(condition))


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


def _closure(node: ast.expr) -> _Closure:
    """The expression as a function of a row: walking the tree anew for each row would cost twice as much."""
    match node:
        case ast.Constant(value):
            known = Decimal(repr(value)) if isinstance(value, float) else value
            return lambda _: known
        case ast.Name(id=name):
            return lambda row: _exact(row[name])
        case ast.BoolOp(op, values):
            parts = [_closure(v) for v in values]
            if isinstance(op, ast.Or):
                return lambda row: _any(part(row) for part in parts)
            return lambda row: _not(_any(_not(part(row)) for part in parts))
        case ast.UnaryOp(ast.Not(), operand):
            inner = _closure(operand)
            return lambda row: _not(inner(row))
        case ast.UnaryOp(ast.USub(), operand):
            inner = _closure(operand)
            return lambda row: _apply(operator.neg, inner(row))
        case ast.Compare(left, [ast.Is()], [ast.Constant(None)]):
            inner = _closure(left)
            return lambda row: inner(row) is None
        case ast.Compare(left, [ast.IsNot()], [ast.Constant(None)]):
            inner = _closure(left)
            return lambda row: inner(row) is not None
        case ast.Compare(left, [ast.In() | ast.NotIn() as op], [choices]):
            inner = _closure(left)
            listed = [_closure(c) for c in (choices.elts if isinstance(choices, ast.Tuple) else [choices])]

            def is_in(row: Row) -> bool | None:
                return _any(_apply(operator.eq, inner(row), each(row)) for each in listed)

            return is_in if isinstance(op, ast.In) else lambda row: _not(is_in(row))
        case ast.Compare(left, [op], [right]) | ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            function, one, other = _OPERATORS[type(op)], _closure(left), _closure(right)
            return lambda row: _apply(function, one(row), other(row))
        case ast.Call(ast.Name(id=name), arguments) if name.lower() == "coalesce":
            choice = [_closure(a) for a in arguments]
            return lambda row: next((v for each in choice if (v := each(row)) is not None), None)
        case ast.Call(ast.Name(id=name), arguments) if name.lower() in FUNCTIONS:
            called, operands = FUNCTIONS[name.lower()], [_closure(a) for a in arguments]
            return lambda row: _apply(called, *(each(row) for each in operands))
    raise _unknown(ast.unparse(node), ast.unparse(node))


def _exact(value: Any) -> Any:
    """Floats become decimals, so that they can be added to amounts."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def _apply(function: Callable[..., Any], *values: Any) -> Any:
    if None in values:
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
