"""A ClickHouse for one test: chdb in a process of its own, which shares no library with Spark's Python."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from schemas.contract import Contract, contracts
from schemas.contract.rules import quoted
from schemas.derive import latest_views, views
from schemas.derive.clickhouse import create_database, create_table
from schemas.derive.fakes import fill

PROGRAM = """
import sys
import chdb
sys.stdout.write(str(chdb.query(sys.stdin.read(), "JSONCompactEachRow", path=sys.argv[1])))
"""


def answers(folder: Path, statements: Sequence[str]) -> list[list[Any]]:
    """The rows of the queries among the statements, which are run in order. Tables stay in the folder."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        input=";\n".join(statements), text=True, capture_output=True, cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@cache
def definitions() -> tuple[str, ...]:
    """The statements that make every table and every view, in the order in which a start makes them."""
    served = [c for c in contracts() if c.clickhouse is not None]
    return (
        *(create_database(name) for name in sorted({latest_views.LOOKUP, *(c.layer for c in served)})),
        *(create_table(c) for c in served),
        *(view.statement for view in views.all_views()),
    )


def inserted(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> str:
    """A statement that inserts the rows; all columns that are not given are fakes."""
    columns = [c for c in contract.serving_columns if c.type.name != "HEADERS"]
    values = [
        ", ".join(_shown(row[c]) for c in columns) for row in (fill(contract, given, n) for n, given in enumerate(rows))
    ]
    return f"INSERT INTO {contract.name} ({', '.join(columns)}) VALUES ({'), ('.join(values)})"


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, bool | int | float) else quoted(str(value).replace("+00:00", ""))
