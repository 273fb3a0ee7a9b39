"""Views that are the same for day, week and month: declared once, written for each period.

A table of days (``day="sold_on"`` in its contract) is added up to weeks and months. A table that has a row a period
already (columns `period_kind` and `period_started_on`) is filtered by the kind of period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.contract.column import Column
from schemas.contract.declare import Contract, contract
from schemas.contract.view import View

PERIOD = "{period}"
"""Stands for the column of the period in the lists `by` and `order`."""


@dataclass(frozen=True)
class Period:
    """`column` names the period's first day in the views, `start` is the SQL that computes it from a day."""

    name: str
    column: str
    start: str
    phrase: str
    remark: str = ""


DAY = Period("day", "", "{}", "on each day")
WEEK = Period("week", "week_on", "toDate32(toMonday({}))", "in each week", "weeks begin on Monday")
MONTH = Period("month", "month_on", "toDate32(toStartOfMonth({}))", "in each month")
PERIODS = (DAY, WEEK, MONTH)


@dataclass(frozen=True)
class Join:
    """Another table beside the rows of a view, as ``j``: a LEFT JOIN by columns that both have."""

    table: type
    on: Sequence[str]


def period_views(
    name: str,
    question: str,
    *,
    of: type,
    by: Sequence[str],
    measures: Sequence[str] = (),
    totals: Sequence[str] = (),
    join: Join | None = None,
    computed: Mapping[str, str] | None = None,
    order: Sequence[str] = (),
    day: str = "sold_on",
    periods: Sequence[Period] = PERIODS,
) -> list[View]:
    """One view a period over the table `of`.

    In `name` and `question` ``{period}`` is day, week or month; ``{in_each}`` in `question` is "on each day" and so on.
    `by` are the columns that name a row of the view, `PERIOD` among them; rows are sorted by them. `measures` are added
    up where the table has several rows for one row of the view. Of a code the view shows any value.
    `totals` are key columns that are empty in the rows that hold all values together: without such a column in `by`
    the view has these rows, with it all others.
    `computed` are further columns by their SQL, over the rows ``t`` and the joined table ``j``.
    `order` is the order of the columns where it is not `by`, `measures`, `computed`. `day` is the name of the column in
    the view of days.
    """
    source = contract(of)
    for column in (*(c for c in by if c != PERIOD), *measures, *totals):
        source.column(column)
    return [
        View(
            name.format(period=period.name),
            _question(question, period),
            _statement(name.format(period=period.name), source, by, measures, totals, join, computed or {}, order,
                       period, period.column or day),
        )
        for period in periods
    ]  # fmt: skip


def _question(template: str, period: Period) -> str:
    question = template.format(period=period.name, in_each=period.phrase)
    if not period.remark:
        return question
    return f"{question[:-1]}; {period.remark})" if question.endswith(")") else f"{question} ({period.remark})"


def _statement(
    name: str,
    source: Contract,
    by: Sequence[str],
    measures: Sequence[str],
    totals: Sequence[str],
    join: Join | None,
    computed: Mapping[str, str],
    order: Sequence[str],
    period: Period,
    period_column: str,
) -> str:
    has_periods = "period_kind" in source.columns
    if not has_periods and not source.day:
        raise ValueError(f"{name}: {source.name} has neither a day nor periods")
    start = "t.period_started_on" if has_periods else period.start.format(f"t.{source.day}")
    filters = [f"t.period_kind = '{period.name}'"] if has_periods else []
    filters += [f"t.{c} {'!=' if c in by else '='} ''" for c in totals]
    grouped = not has_periods or bool(set(source.key) - {*by, "period_kind", "period_started_on", *totals})
    rows = {c: start if c == PERIOD else f"t.{c}" for c in by}
    rows |= {c: _sum(source.column(c)) if grouped else f"t.{c}" for c in measures}
    names = [period_column if c == PERIOD else c for c in by]
    table = f"{source.name} AS t"
    inner = f"\nWHERE {' AND '.join(filters)}" if filters else ""
    inner += f"\nGROUP BY {', '.join(names)}" if grouped else ""
    if grouped and join is not None:
        shown = _select({period_column if c == PERIOD else c: sql for c, sql in rows.items()})
        table, inner = f"(\n{_indent(f'SELECT{shown}{chr(10)}FROM {table}{inner}')}\n) AS t", ""
        rows = {c: f"t.{period_column}" if c == PERIOD else f"t.{c}" for c in rows}
    if join is not None:
        both = " AND ".join(f"j.{c} = t.{c}" for c in join.on)
        table += f"\nLEFT JOIN {contract(join.table).name} AS j\n    ON {both}"
    rows |= computed
    columns = {period_column if c == PERIOD else c: rows[c] for c in (order or rows)}
    return (
        f"CREATE OR REPLACE VIEW {name} AS\nSELECT{_select(columns)}\nFROM {table}{inner}\nORDER BY {', '.join(names)}"
    )


def _sum(column: Column) -> str:
    return f"{'any' if column.type.name == 'CODE' else 'sum'}(t.{column})"


def _select(columns: Mapping[str, str]) -> str:
    return ",".join(f"\n    {sql} AS {name}" for name, sql in columns.items())


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
