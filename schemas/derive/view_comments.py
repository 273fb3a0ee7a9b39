"""What the views of ClickHouse say of themselves: a sentence a view, and one a column.

A view is a file ``infra/clickhouse/views/<database>/<name>.sql``, or is made from a contract
(`schemas.derive.latest_views`). The first line of a file is the question that the view answers; lines
``-- column: What it is.`` below describe columns that no contract has, or that mean something else here. All other
columns are described by the tables that it reads, and what several views compute by ``columns.toml`` beside their
folders.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from schemas.contract import contracts
from schemas.contract.rules import quoted
from schemas.derive import latest_views
from schemas.derive.clickhouse import qualified
from schemas.derive.spark import ident

VIEWS = Path(__file__).resolve().parents[2] / "infra" / "clickhouse" / "views"
_COLUMN = re.compile(r"-- (?P<name>[a-z][a-z0-9_]*): (?P<sentence>\S.*)")
_MORE = re.compile(r"--   (?P<rest>\S.*)")
_READ = re.compile(r"(?:FROM|JOIN)\s+`?(\w+)`?\.`?(\w+)`?", re.IGNORECASE)


@dataclass(frozen=True)
class View:
    """A view: its name ``database.view``, the statement that makes it, and what is written of it."""

    name: str
    question: str
    statement: str
    columns: Mapping[str, str]
    """Columns that its file describes."""

    @property
    def has_parameters(self) -> bool:
        """Whether it can only be asked with values: ``SELECT * FROM lookup.lots_by_number(value = '7')``."""
        return re.search(r"\{\w+:\w+", self.statement) is not None

    @property
    def reads(self) -> list[str]:
        """The tables and views that it names, in the order of its text."""
        code = re.sub(r"--.*", "", self.statement)
        return list(dict.fromkeys(f"{database}.{table}" for database, table in _READ.findall(code)))


def parse(name: str, text: str) -> View:
    """The view that a file holds. Raises ValueError for one whose first line asks nothing."""
    head, column = {}, ""
    lines = text.strip().removesuffix(";").splitlines()
    question = lines[0] if lines else ""
    if not question.startswith("-- ") or not question[3:].strip():
        file = f"{name.rpartition('.')[2]}.sql"
        raise ValueError(f"the first line of {file} must be a comment with the question it answers")
    for line in lines[1:]:
        if not line.startswith("--"):
            break
        if described := _COLUMN.match(line):
            column = described["name"]
            head[column] = described["sentence"].strip()
        elif (more := _MORE.match(line)) and column:
            head[column] += " " + more["rest"].strip()
        else:
            column = ""
    return View(name, question[3:].strip(), "\n".join(lines), head)


def read(folder: Path = VIEWS) -> list[View]:
    """The views that are files. Raises ValueError for one without a question."""
    return [
        parse(f"{file.parent.name}.{file.stem}", file.read_text(encoding="utf-8"))
        for file in sorted(folder.glob("*/*.sql"))
    ]


@cache
def all_views() -> tuple[View, ...]:
    """Every view, in an order in which each finds those that it reads. Raises CycleError where two read each other."""
    found = {view.name: view for view in (*_derived(), *read())}
    order = TopologicalSorter({name: [r for r in view.reads if r in found] for name, view in found.items()})
    return tuple(found[name] for name in order.static_order())


def _derived() -> list[View]:
    found = []
    for contract in latest_views.versioned():
        sentences = {
            latest_views.name_of(contract): f"What holds today of {contract.name}: {_small(contract.description)}"
        }
        for name, word in contract.parts.items():
            sentences[name] = f"The entries of `{word}` in {contract.name} that hold today."
        for name, column in latest_views.lookups(contract).items():
            sentences[name] = (
                f"What holds today of {contract.name} with this {column}, found by an index: "
                f"SELECT * FROM {name}(value = '…')"
            )
        statements = latest_views.views(contract)
        found += [
            View(name, sentence, statement, {})
            for (name, sentence), statement in zip(sentences.items(), statements, strict=True)
        ]
    return found


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


@cache
def described(name: str) -> Mapping[str, str]:
    """What each column of a table or view is, by its name ``database.table``, as far as it is written anywhere.

    Of a column that several of its sources have, the one that is named first in the statement says what it is.
    `columns.toml` has the last word: what stands there is of all views, whether they have the column or not.
    """
    contract = next((c for c in contracts() if c.kind == "table" and c.name == name), None)
    if contract is not None:
        return {column.name: column.description for column in (*contract.columns, *contract.serving_columns)}
    view = next((v for v in all_views() if v.name == name), None)
    if view is None:
        return {}
    found = dict(view.columns)
    for source in view.reads:
        for column, sentence in described(source).items():
            found.setdefault(column, sentence)
    return {**_computed(), **found}


@cache
def _computed() -> Mapping[str, str]:
    return tomllib.loads((VIEWS / "columns.toml").read_text(encoding="utf-8"))


def comments(view: View, columns: Iterable[str]) -> list[str]:
    """The statements that tell ClickHouse what the view and these columns of it are."""
    name, known = qualified(view.name), described(view.name)
    made = [f"ALTER TABLE {name} MODIFY COMMENT {quoted(view.question)}"]
    said = [f"COMMENT COLUMN {ident(column)} {quoted(known[column])}" for column in columns if column in known]
    return [*made, f"ALTER TABLE {name} {', '.join(said)}"] if said else made


def moved(made: Iterable[View]) -> list[str]:
    """The names that views with parameters had before they got a database of their own."""
    return [f"silver.{view.name.partition('.')[2]}" for view in made if view.name.startswith(f"{latest_views.LOOKUP}.")]
