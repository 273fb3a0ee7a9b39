"""A view of ClickHouse: the question it answers, its statement, and what its own columns mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_READ = re.compile(r"(?:FROM|JOIN)\s+`?(\w+)`?\.`?(\w+)`?", re.IGNORECASE)


@dataclass(frozen=True)
class View:
    """A view ``database.name``. `columns` describes columns that no contract describes, or describes otherwise.

    A domain declares views in a list ``VIEWS`` in ``schemas/<domain>/views.py``. A view with SQL of its own is a file
    ``infra/clickhouse/views/<database>/<name>.sql`` instead.
    """

    name: str
    question: str
    statement: str
    columns: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    """The file that declares it; empty for a view that follows from a contract."""

    @property
    def has_parameters(self) -> bool:
        """Whether a query must give values: ``SELECT * FROM lookup.lots_by_number(value = '7')``."""
        return re.search(r"\{\w+:\w+", self.statement) is not None

    @property
    def reads(self) -> list[str]:
        """The tables and views that the statement names, in the order of its text."""
        code = re.sub(r"--.*", "", self.statement)
        return list(dict.fromkeys(f"{database}.{table}" for database, table in _READ.findall(code)))
