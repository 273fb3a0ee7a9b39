"""Fake rows and events that keep every rule of their contract: the same seed gives the same rows, on any machine.

A fake says nothing about trade, it only fills columns; worlds with sense in them are the simulator's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import ceil, floor, inf
from random import Random
from typing import Any

from schemas.contract import Column, Contract
from schemas.contract.types import MONEY_SCALE
from schemas.derive.conditions import holds, settings
from schemas.derive.regex_samples import text_matching

Row = dict[str, Any]

_START = datetime(2026, 1, 1, tzinfo=UTC)
_SECONDS = 365 * 86_400
_WORDS = ("алма", "нан", "tea", "sugar", "сүт", "coffee", "rice", "тұз", "lamp", "cup")
_CURRENCIES = ("KZT", "USD", "EUR")
_TRIES = 200


@dataclass(frozen=True)
class _Draw:
    """How values are drawn. A `steady` draw varies ids by the row's number and nothing else."""

    seed: str
    number: int
    steady: bool = False


@dataclass(frozen=True)
class _Wish:
    """One value that is wanted. `facets` are the rules of its column in JSON Schema's words."""

    column: Column
    facets: Mapping[str, Any]
    chance: Random
    number: int
    steady: bool


def fake_rows(contract: Contract, n: int, seed: int = 0) -> list[Row]:
    """`n` rows of a table, with different keys. Optional columns are sometimes None.

    Raises ValueError where no row is found that keeps the contract's rules.
    """
    rows: list[Row] = []
    seen: set[tuple[Any, ...]] = set()
    for number in range(n):
        for attempt in range(_TRIES):
            row = _good_row(contract, _Draw(f"{seed}/{number}/{attempt}", number))
            key = tuple(row[c] for c in contract.key)
            if key not in seen:
                break
        else:
            raise ValueError(f"{contract.name} has no {n} fake rows with different keys; {len(rows)} were found")
        seen.add(key)
        rows.append(row)
    return rows


def fill(contract: Contract, given: Mapping[str, Any], n: int = 0) -> Row:
    """A row with the given values and valid fakes in the other columns; `n` is the row's number in its table.

    From row to row only ids differ: rows that show no seller belong to one seller. Rules over several columns are kept
    where the given values allow it, for a test may ask for a row that breaks them. Raises KeyError for a column that
    the contract hasn't.
    """
    for name in given:
        contract.column(name)
    first: Row = {}
    for attempt in range(_TRIES if contract.rules else 1):
        row = _row(contract, _Draw(str(attempt), n, steady=True), given)
        first = first or row
        if not broken_rules(contract, row):
            return row
    return first


def fake_event(event: Contract, seed: int = 0) -> Row:
    """An event as a producer would send it, ready for `json.dumps`. Optional fields are sometimes left out."""
    return _jsonable(event, _good_row(event, _Draw(str(seed), seed)))


def broken_rules(contract: Contract, row: Mapping[str, Any]) -> list[str]:
    """The names of the rules that a row breaks, those that it can be asked for without Spark."""
    values = [
        f"{column}.{rule.name}"
        for column in contract.columns
        for rule in column.rules
        if row[column] is not None and not rule.holds(row[column])
    ]
    return values + [rule.name for rule in contract.rules if holds(rule.condition, row) is not True]


def _good_row(contract: Contract, draw: _Draw) -> Row:
    broken: list[str] = []
    for attempt in range(_TRIES):
        row = _row(contract, _Draw(f"{draw.seed}/{attempt}", draw.number), {})
        broken = broken_rules(contract, row)
        if not broken:
            return row
    raise ValueError(f"no fake of {contract.name} was found that keeps {', '.join(broken)}")


def _row(contract: Contract, draw: _Draw, given: Mapping[str, Any]) -> Row:
    row = {c.name: given[c] if c in given else _value(c, contract, draw) for c in contract.columns}
    for rule in contract.rules:
        for name, value in settings(rule.condition):
            if name not in given:
                result = value(row)
                row[name] = (
                    _amount(Decimal(result)) if name in contract.money_columns and result is not None else result
                )
    return row


def _value(column: Column, contract: Contract, draw: _Draw) -> Any:
    # A generator for each column: which columns are given must not change the values of the others.
    chance = Random(f"{contract.name}/{column}/{draw.seed}")
    if column.optional and not draw.steady and chance.random() < 0.2:
        return None
    facets: dict[str, Any] = {}
    for rule in column.rules:
        facets |= rule.json if rule.name != "not_empty" else {}
    for attempt in range(_TRIES):
        drawn = _drawn(_Wish(column, facets, chance, draw.number + attempt, draw.steady))
        if all(rule.holds(drawn) for rule in column.rules):
            return drawn
    raise ValueError(f"no fake of {contract.name}.{column} was found that keeps its rules")


def _drawn(wish: _Wish) -> Any:
    if "enum" in wish.facets:
        return _chosen(wish, wish.facets["enum"])
    if "pattern" in wish.facets:
        return text_matching(wish.facets["pattern"], wish.chance)
    return _MAKERS[wish.column.type.fake](wish)


def _chosen(wish: _Wish, choices: list[Any]) -> Any:
    usual = [currency for currency in _CURRENCIES if currency in choices] or choices
    return usual[0] if wish.steady else wish.chance.choice(usual)


def _id(wish: _Wish) -> str:
    return f"{wish.column.removesuffix('_id')}-{wish.number:04d}"[-wish.facets.get("maxLength", 64) :]


def _code(wish: _Wish) -> str:
    if wish.column == "currency_code":
        return _CURRENCIES[0] if wish.steady else wish.chance.choice(_CURRENCIES)
    number = 1 if wish.steady else wish.chance.randint(1, 20)
    text = f"{wish.column.removesuffix('_id').removesuffix('_code')}-{number}"
    return text[-wish.facets.get("maxLength", 64) :]


def _text(wish: _Wish) -> str:
    return " ".join(wish.chance.sample(_WORDS, 3))[: wish.facets.get("maxLength", 64)].strip()


def _instant(wish: _Wish) -> datetime:
    return _START + timedelta(milliseconds=wish.chance.randrange(_SECONDS * 1_000))


def _bounds(facets: Mapping[str, Any], span: int) -> tuple[int, int]:
    """Whole bounds that the facets allow: `span` numbers from 1 on, or from as near to 1 as may be."""
    lowest, highest = facets.get("minimum", -inf), facets.get("maximum", inf)
    low = 1 if highest >= 1 else floor(highest) - span
    if lowest > -inf:
        low = max(low, ceil(lowest))
    return low, low + span if highest == inf else min(low + span, floor(highest))


def _money(wish: _Wish) -> Decimal:
    low, high = _bounds(wish.facets, 9_999)
    return _amount(Decimal(wish.chance.randint(low * 100, high * 100)).scaleb(-2))


def _number(wish: _Wish) -> float:
    low = wish.facets.get("minimum", 0.0)
    return round(wish.chance.uniform(low, min(low + 100, wish.facets.get("maximum", low + 100))), 3)


def _records(wish: _Wish) -> list[Row]:
    items = wish.column.items
    if items is None:
        return []
    least, most = wish.facets.get("minItems", 0), wish.facets.get("maxItems", 3)
    count = wish.chance.randint(least, max(least, min(3, most)))
    return [_good_row(items, _Draw(str(wish.chance.random()), place)) for place in range(count)]


_MAKERS: dict[str, Callable[[_Wish], Any]] = {
    "id": _id,
    "code": _code,
    "text": _text,
    "day": lambda wish: _instant(wish).date(),
    "instant": _instant,
    "count": lambda wish: wish.chance.randint(*_bounds(wish.facets, 999)),
    "money": _money,
    "rate": lambda wish: Decimal(wish.chance.randint(1, 99_999_999)).scaleb(-4),
    "number": _number,
    # Fakes are rows that hold: a test that wants one which was taken back says so.
    "flag": lambda wish: wish.column == "is_published" or wish.chance.random() < 0.5,
    "bytes": lambda wish: f'{{"number": {wish.number}}}'.encode(),
    "headers": lambda wish: [{"key": "ce_id", "value": f"event-{wish.number:04d}".encode()}],
    "list": _records,
}


def _amount(value: Decimal) -> Decimal:
    """With as many digits after the point as money columns keep."""
    return value.quantize(Decimal(1).scaleb(-MONEY_SCALE))


def _jsonable(contract: Contract, row: Row) -> Row:
    return {c.name: _json_value(c, row[c]) for c in contract.columns if row[c] is not None}


def _json_value(column: Column, value: Any) -> Any:
    if column.items is not None:
        return [_jsonable(column.items, element) for element in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
