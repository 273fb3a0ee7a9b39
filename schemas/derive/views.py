"""All views of ClickHouse, in the order in which they can be created, with a comment for each view and column.

A view is a file ``infra/clickhouse/views/<database>/<name>.sql``, is declared in ``schemas/<domain>/views.py``, or
follows from a contract (`schemas.derive.latest_views`). The first line of a file is the question that the view answers.
Lines ``-- column: What it is.`` below it describe columns that no contract has, or that mean something else here. All
other columns are described by the tables that the view reads. Columns that several views compute are described once, in
``columns.toml`` beside the folders.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from schemas.contract import contracts
from schemas.contract.registry import declared_views
from schemas.contract.rules import quoted
from schemas.contract.view import View
from schemas.derive import latest_views
from schemas.derive.clickhouse import qualified
from schemas.derive.spark import ident

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "infra" / "clickhouse" / "views"
_COLUMN = re.compile(r"-- (?P<name>[a-z][a-z0-9_]*): (?P<sentence>\S.*)")
_CONTINUED = re.compile(r"--   (?P<rest>\S.*)")


def parse(name: str, text: str, source: str = "") -> View:
    """The view in a file's text. Raises ValueError where the first line is no question."""
    columns: dict[str, str] = {}
    column = ""
    lines = text.strip().removesuffix(";").splitlines()
    question = lines[0] if lines else ""
    if not question.startswith("-- ") or not question[3:].strip():
        file = f"{name.rpartition('.')[2]}.sql"
        raise ValueError(f"the first line of {file} must be a comment with the question it answers")
    for line in lines[1:]:
        if not line.startswith("--"):
            break
        if match := _COLUMN.match(line):
            column = match["name"]
            columns[column] = match["sentence"].strip()
        elif (match := _CONTINUED.match(line)) and column:
            columns[column] += " " + match["rest"].strip()
        else:
            column = ""
    return View(name, question[3:].strip(), "\n".join(lines), columns, source)


def view_files(folder: Path = FOLDER) -> list[View]:
    """The views that are files. Raises ValueError for a file without a question."""
    return [
        parse(
            f"{file.parent.name}.{file.stem}",
            file.read_text(encoding="utf-8"),
            f"infra/clickhouse/views/{file.parent.name}/{file.name}",
        )
        for file in sorted(folder.glob("*/*.sql"))
    ]


@cache
def all_views() -> tuple[View, ...]:
    """Every view, each after those that it reads.

    Raises ValueError where two views have one name, and CycleError where two views read each other.
    """
    views: dict[str, View] = {}
    for view in (*_latest_views(), *declared_views(), *view_files()):
        if view.name in views:
            raise ValueError(f"the view {view.name} is declared twice")
        views[view.name] = view
    order = TopologicalSorter({name: [r for r in view.reads if r in views] for name, view in views.items()})
    return tuple(views[name] for name in order.static_order())


def _latest_views() -> list[View]:
    views = []
    for contract in latest_views.versioned():
        description = contract.description[:1].lower() + contract.description[1:]
        questions = {latest_views.name_of(contract): f"What holds today of {contract.name}: {description}"}
        for name, word in contract.split_views.items():
            questions[name] = f"The entries of `{word}` in {contract.name} that hold today."
        for name, column in latest_views.lookups(contract).items():
            questions[name] = (
                f"What holds today of {contract.name} with this {column}, found by an index: "
                f"SELECT * FROM {name}(value = '…')"
            )
        statements = latest_views.views(contract)
        views += [
            View(name, question, statement)
            for (name, question), statement in zip(questions.items(), statements, strict=True)
        ]
    return views


@cache
def column_comments(name: str) -> Mapping[str, str]:
    """A description of each column of a table or view, by its name ``database.table``, as far as one is written.

    Where several sources of a view have a column, the first one in the statement describes it. `columns.toml` comes
    last; it may describe columns that the view does not have.
    """
    contract = next((c for c in contracts() if c.kind == "table" and c.name == name), None)
    if contract is not None:
        return {column.name: column.description for column in (*contract.columns, *contract.serving_columns)}
    view = next((v for v in all_views() if v.name == name), None)
    if view is None:
        return {}
    comments = dict(view.columns)
    for source in view.reads:
        for column, sentence in column_comments(source).items():
            comments.setdefault(column, sentence)
    return {**_computed_columns(), **comments}


@cache
def _computed_columns() -> Mapping[str, str]:
    return tomllib.loads((FOLDER / "columns.toml").read_text(encoding="utf-8"))


def comment_statements(view: View, columns: Iterable[str]) -> list[str]:
    """The statements that store the comments of the view and of these columns in ClickHouse."""
    name, known = qualified(view.name), column_comments(view.name)
    statements = [f"ALTER TABLE {name} MODIFY COMMENT {quoted(view.question)}"]
    clauses = [f"COMMENT COLUMN {ident(column)} {quoted(known[column])}" for column in columns if column in known]
    return [*statements, f"ALTER TABLE {name} {', '.join(clauses)}"] if clauses else statements


def former_names(views: Iterable[View]) -> list[str]:
    """The names that views with parameters had before they moved to a database of their own."""
    names = [view.name.partition(".") for view in views]
    return [f"silver.{name}" for database, _, name in names if database == latest_views.LOOKUP]
