"""Rules: one object a rule, with its sentence, its Spark expression, its JSON Schema facet and its check in Python.

A rule speaks of a value that is present; whether it must be is the column's `optional`.
`spark(x)` is true where the value `x` (a SQL expression) keeps the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any


class OnFail(Enum):
    """What happens to what breaks a rule."""

    REJECT = "reject"  # the row goes to quarantine
    STOP = "stop"  # the gold table is not published
    WARN = "warn"  # published, and said


REJECT, STOP, WARN = OnFail.REJECT, OnFail.STOP, OnFail.WARN


@dataclass(frozen=True)
class Rule:
    """`sentence` follows the column's name: "quantity must not be zero".

    `holds_at` is the check of a rule that also asks when the event arrived; `holds` then cannot tell and is true.
    `of_elements` is a rule of a list that looks into its elements, when these have their types and keep their rules.
    """

    name: str
    sentence: str
    spark: Callable[[str], str]
    holds: Callable[[Any], bool]
    json: Mapping[str, Any] = field(hash=False)
    on_fail: OnFail = REJECT
    holds_at: Callable[[Any, datetime], bool] | None = None
    of_elements: bool = False

    def __repr__(self) -> str:
        return self.name


def quoted(value: object) -> str:
    """A SQL literal that Spark and ClickHouse both read."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value)


def not_empty() -> Rule:
    return Rule(
        "not_empty",
        "must not be empty",
        # The first character decides nearly always, and costs a tenth of the expression. With (?U) Java counts a
        # non-breaking space among the spaces, as Python and JSON Schema do.
        lambda x: f"(ascii({x}) BETWEEN 33 AND 126 OR {x} RLIKE '(?U)\\\\S')",
        lambda v: re.search(r"\S", v) is not None,
        {"minLength": 1, "pattern": r"\S"},
    )


def max_length(characters: int) -> Rule:
    return Rule(
        f"max_length({characters})", f"must have at most {characters:,} characters",
        lambda x: f"length({x}) <= {characters}", lambda v: len(v) <= characters, {"maxLength": characters},
    )  # fmt: skip


def at_least(low: float) -> Rule:
    return Rule(
        f"at_least({low})", f"must be at least {low:,}", lambda x: f"{x} >= {low}", lambda v: v >= low, {"minimum": low}
    )


def at_most(high: float) -> Rule:
    return Rule(
        f"at_most({high})",
        f"must be at most {high:,}",
        lambda x: f"{x} <= {high}",
        lambda v: v <= high,
        {"maximum": high},
    )


def not_zero() -> Rule:
    return Rule("not_zero", "must not be zero", lambda x: f"{x} != 0", lambda v: v != 0, {"not": {"const": 0}})


def one_of(values: tuple[str, ...], what: str) -> Rule:
    listed = ", ".join(quoted(v) for v in values)
    return Rule(
        f"one_of({what})",
        f"must be {what}",
        lambda x: f"{x} IN ({listed})",
        lambda v: v in values,
        {"enum": list(values)},
    )


def matches(pattern: str, what: str) -> Rule:
    """The whole value matches. Write ``[0-9]`` for digits: what ``\\d`` is differs from system to system."""
    whole = f"^(?:{pattern})"
    return Rule(
        f"matches({what})", f"must be {what}",
        # Java's $ would let a line break at the end pass.
        lambda x: f"{x} RLIKE {quoted(whole + chr(92) + 'z')}",
        lambda v: re.fullmatch(pattern, v) is not None, {"pattern": f"{whole}$"},
    )  # fmt: skip


def since(day: str) -> Rule:
    """No earlier than a day, UTC."""

    def holds(value: date | datetime) -> bool:
        utc = value.astimezone(UTC) if isinstance(value, datetime) else value
        return utc.isoformat() >= day

    return Rule(
        f"since({day})", f"must not be before {day}", lambda x: f"{x} >= TIMESTAMP '{day} 00:00:00Z'", holds, {}
    )


def not_ahead_of(instant: str, hours: int) -> Rule:
    """At most `hours` later than another instant of the row, such as its arrival.

    By the wall clock a replay would be judged otherwise than the first time. `holds` sees one value only: it is true.
    """
    return Rule(
        f"not_ahead_of({hours} h)", f"must not be more than {hours} hours ahead of {instant}",
        lambda x: f"{x} <= {instant} + INTERVAL {hours} HOURS", lambda _: True, {},
        holds_at=lambda v, arrived: v <= arrived + timedelta(hours=hours),
    )  # fmt: skip


def min_items(count: int) -> Rule:
    """A list with at least so many elements."""
    elements = "one element" if count == 1 else f"{count:,} elements"
    return Rule(
        f"min_items({count})",
        f"must have at least {elements}",
        lambda x: f"size({x}) >= {count}",
        lambda v: len(v) >= count,
        {"minItems": count},
    )


def max_items(count: int) -> Rule:
    return Rule(
        f"max_items({count})",
        f"must have at most {count:,} elements",
        lambda x: f"size({x}) <= {count}",
        lambda v: len(v) <= count,
        {"maxItems": count},
    )


def worth_at_most(high: int, count: str, price: str) -> Rule:
    """The sum over a list of count times price, each as a positive amount.

    In floating point, which costs Spark a tenth of what decimals do and gives the same in Python; it is right to
    fifteen digits.
    """
    value = f"abs(line.`{count}` * double(line.`{price}`))"

    def holds(elements: list[dict[str, Any]]) -> bool:
        total = 0.0
        for each in elements:
            total += abs(each[count] * float(each[price]))
        return total <= high

    return Rule(
        f"worth_at_most({high} by {count} and {price})",
        f"must have a sum of {count} times {price} of at most {high:,}",
        lambda x: f"aggregate({x}, 0D, (total, line) -> total + {value}) <= {high}", holds, {}, of_elements=True,
    )  # fmt: skip


@dataclass(frozen=True)
class RowRule:
    """A rule about several columns of one row. `condition` is SQL over their names, true where the rule is kept."""

    name: str
    sentence: str
    condition: str
    on_fail: OnFail = REJECT
