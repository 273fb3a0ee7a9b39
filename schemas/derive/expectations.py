"""What a finished table is judged by: its contract as a suite of Great Expectations, written as plain data.

Each expectation has a type, its arguments and our own words for it, so that a suite can be read, stored and handed on
where Great Expectations is not installed. What JSON Schema can say of a value has an expectation of the library's own;
what it cannot say is one of those that `jobs.gates.engine` adds: types, a condition that no row breaks, keys that name
one row, references that resolve, a day that is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.contract import Column, Contract
from schemas.contract.references import Reference, references
from schemas.contract.rules import OnFail, Rule
from schemas.derive.spark import ident

TYPES_ARE = "expect_column_types_to_be"
NO_ROW_BREAKS = "expect_no_row_to_break"
KEY_NAMES_ONE_ROW = "expect_key_to_name_one_row"
REFERENCES_RESOLVE = "expect_references_to_resolve"
DAY_IS_REACHED = "expect_day_to_be_reached"
FEWEST_ROWS, MOST_ROWS = "fewest_rows", "most_rows"
ARRIVED, STILL_ARRIVES = "ingested_at", "still_arrives"
NO_ROW = "0 rows"
KEY = "key"


@dataclass(frozen=True)
class Expectation:
    """One thing that is expected of a finished table.

    `broken` is true, in Spark's SQL, for a row `r` that does not keep it, and empty where it is about the whole table.
    `wanted` is what it is judged by. `needs` names the values that are known only when the table is judged: an
    expectation whose values are not known is not asked. `kwargs` holds such a value as ``{"$PARAMETER": name}``.
    """

    name: str
    type: str
    sentence: str
    on_fail: OnFail
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    broken: str = ""
    wanted: str = NO_ROW
    needs: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether the table is kept back where this is not so."""
        return self.on_fail is not OnFail.WARN

    @property
    def figure(self) -> str:
        """The aggregate of the table's rows, in Spark's SQL, by which it is judged; empty where none can say it.

        Of rows that each keep it or not: how many do not. Of a day that is to be reached: the newest, as a text.
        """
        if self.is_about_rows:
            return f"count_if({self.broken})"
        if self.type == DAY_IS_REACHED:
            return f"CAST(max(CAST({ident(self.kwargs['column'])} AS DATE)) AS STRING)"
        return ""

    @property
    def is_about_rows(self) -> bool:
        """Whether each row, by itself, keeps it or not."""
        return bool(self.broken) and self.type != REFERENCES_RESOLVE

    def as_config(self) -> dict[str, Any]:
        """As Great Expectations reads it."""
        outcome = OnFail.STOP if self.stops else OnFail.WARN
        return {
            "type": self.type,
            "kwargs": dict(self.kwargs),
            "description": self.sentence,
            "severity": "critical" if self.stops else "warning",
            "meta": {"name": self.name, "sentence": self.sentence, "on_fail": outcome.value},
        }


@dataclass(frozen=True)
class Freshness:
    """The table's newest `day` should be no older than that of the table it is built from."""

    day: str
    source: Contract

    @property
    def parameter(self) -> str:
        """The name of the value to be known: the newest day of the source."""
        return f"newest_{self.day}"


def suite(contract: Contract) -> tuple[Expectation, ...]:
    """Everything that is expected of the table, in the order of its columns."""
    return tuple(_suite(contract))


def suite_json(contract: Contract) -> dict[str, Any]:
    """The suite as Great Expectations stores one."""
    return {
        "name": contract.name,
        "expectations": [e.as_config() for e in suite(contract)],
        "meta": {"description": contract.description},
    }


def freshness(contract: Contract) -> tuple[Freshness, ...]:
    """The days in which a table has to keep up with what it is built from: those of its key that a source has too."""
    days = [c for c in contract.columns if c.type.name == "DAY" and (c.key or c == contract.day)]
    sources = ((day.name, next((s for s in contract.built_from if day in s.columns), None)) for day in days)
    return tuple(Freshness(day, source) for day, source in sources if source is not None)


def resolvable(contract: Contract) -> tuple[Reference, ...]:
    """The references that are looked up row by row: those to a whole table. `jobs.commands.check` looks up silver's."""
    return tuple(r for r in references(contract) if not r.is_list and not r.part)


def rows_of(target: Contract) -> str:
    """The temporary view by which the rows of a table that is referred to are found."""
    return f"rows_of_{target.layer}_{target.table}"


def unresolved(reference: Reference) -> str:
    """True, in Spark's SQL, for a row `r` whose reference is none. An empty value and ``0`` refer to nothing."""
    value = f"r.{ident(reference.column)}"
    shared = [c for c in ("collection_code",) if c in reference.source.columns and c in reference.target.columns]
    same = [f"t.{ident(reference.target_column)} = {value}", *(f"t.{ident(c)} = r.{ident(c)}" for c in shared)]
    there = f"SELECT 1 FROM {rows_of(reference.target)} AS t WHERE {' AND '.join(same)}"
    broken = f"{value} IS NOT NULL AND CAST({value} AS STRING) NOT IN ('', '0') AND NOT EXISTS ({there})"
    if not (within := reference.column.refers_within):
        return broken
    known = f"SELECT 1 FROM {rows_of(reference.target)} AS o WHERE o.{ident(within)} = r.{ident(within)}"
    return f"{broken} AND EXISTS ({known})"


def _suite(contract: Contract) -> Iterator[Expectation]:
    names = [c.name for c in contract.columns]
    yield Expectation(
        "columns", "expect_table_columns_to_match_ordered_list",
        f"the columns must be {', '.join(names)}, in this order", OnFail.STOP,
        {"column_list": names}, wanted=", ".join(names),
    )  # fmt: skip
    types = {c.name: c.type.spark for c in contract.columns}
    yield Expectation(
        "types", TYPES_ARE, "each column must be of its type", OnFail.STOP, {"types": types}, wanted=typed(types)
    )
    for column in contract.columns:
        yield from _column(column)
    for rule in contract.rules:
        broken = breaks(rule.condition)
        yield Expectation(
            rule.name, NO_ROW_BREAKS, rule.sentence, rule.on_fail, {"broken": broken}, broken=broken
        )  # fmt: skip
    keys = ", ".join(contract.key)
    yield Expectation(
        KEY, KEY_NAMES_ONE_ROW, f"{keys} must name one row", OnFail.STOP, {"column_list": list(contract.key)}
    )
    yield from map(_resolves, resolvable(contract))
    for fresh in freshness(contract):
        yield Expectation(
            f"{fresh.day}.fresh", DAY_IS_REACHED,
            f"{fresh.day} must reach the newest day of {fresh.source.name}", OnFail.WARN,
            {"column": fresh.day, "day": {"$PARAMETER": fresh.parameter}},
            wanted=f">= {{{fresh.parameter}}}", needs=(fresh.parameter,),
        )  # fmt: skip
    if contract.refresh == "stream" and ARRIVED in contract.columns:
        # By the clock of arrival: what is read again has old days, and yet it arrives.
        yield Expectation(
            f"{ARRIVED}.recent", DAY_IS_REACHED, "rows must have arrived lately", OnFail.WARN,
            {"column": ARRIVED, "day": {"$PARAMETER": STILL_ARRIVES}},
            wanted=f">= {{{STILL_ARRIVES}}}", needs=(STILL_ARRIVES,),
        )  # fmt: skip
    yield Expectation(
        "row_count", "expect_table_row_count_to_be_between",
        "the number of rows must be near that of the day before", OnFail.WARN,
        {"min_value": {"$PARAMETER": FEWEST_ROWS}, "max_value": {"$PARAMETER": MOST_ROWS}},
        wanted=f"{{{FEWEST_ROWS}}} to {{{MOST_ROWS}}}", needs=(FEWEST_ROWS, MOST_ROWS),
    )  # fmt: skip


def _resolves(reference: Reference) -> Expectation:
    column, broken = reference.column, unresolved(reference)
    sentence = f"every {column} must be a {reference.target.name}.{reference.target_column}"
    if column.refers_within:
        sentence += f" where that table has the {column.refers_within}"
    wanted = f"at most {column.unresolved_pct:g} % of the rows" if column.unresolved_pct else NO_ROW
    return Expectation(
        f"{column}.resolves", REFERENCES_RESOLVE, sentence, OnFail.WARN,
        {"broken": broken, "tolerated_pct": column.unresolved_pct},
        broken=broken, wanted=wanted, needs=(rows_of(reference.target),),
    )  # fmt: skip


def _column(column: Column) -> Iterator[Expectation]:
    if not column.optional:
        yield Expectation(
            f"{column}.required", "expect_column_values_to_not_be_null", f"{column} must not be empty", OnFail.STOP,
            {"column": column.name}, broken=f"{ident(column)} IS NULL",
        )  # fmt: skip
    for rule in column.rules:
        yield _rule(column, rule)


def _rule(column: Column, rule: Rule) -> Expectation:
    broken = breaks(rule.spark(ident(column)))
    type_, arguments = _OF_FACETS.get(frozenset(rule.json), (NO_ROW_BREAKS, lambda _: {"broken": broken}))
    return Expectation(
        f"{column}.{rule.name}", type_, f"{column} {rule.sentence}", rule.on_fail,
        {"column": column.name, **arguments(rule.json)}, broken=broken,
    )  # fmt: skip


def breaks(condition: str) -> str:
    """True, in Spark's SQL, for a row that breaks a condition. Unknown is kept: a rule speaks of present values."""
    return f"coalesce(NOT ({condition}), false)"


def typed(types: Mapping[str, str]) -> str:
    """Columns with their types, in words."""
    return ", ".join(f"{column} {type_}" for column, type_ in types.items())


Facets = Mapping[str, Any]
# What a rule says to JSON Schema, and the expectation that says the same.
_OF_FACETS: dict[frozenset[str], tuple[str, Callable[[Facets], dict[str, Any]]]] = {
    frozenset({"minimum"}): ("expect_column_values_to_be_between", lambda j: {"min_value": j["minimum"]}),
    frozenset({"maximum"}): ("expect_column_values_to_be_between", lambda j: {"max_value": j["maximum"]}),
    frozenset({"not"}): ("expect_column_values_to_not_be_in_set", lambda j: {"value_set": [j["not"]["const"]]}),
    frozenset({"enum"}): ("expect_column_values_to_be_in_set", lambda j: {"value_set": list(j["enum"])}),
    frozenset({"maxLength"}): (
        "expect_column_value_lengths_to_be_between",
        lambda j: {"min_value": 0, "max_value": j["maxLength"]},
    ),
    # Java's $ would let a line break at the end pass.
    frozenset({"pattern"}): (
        "expect_column_values_to_match_regex",
        lambda j: {"regex": j["pattern"].removesuffix("$") + r"\z"},
    ),
}
