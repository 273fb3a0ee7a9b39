"""A ClickHouse without a server that answers many questions at once, each with rows by name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from schemas.contract import Contract
from schemas.contract.rules import quoted
from schemas.derive.fakes import Row

# chdb reads the config.xml of the current folder, so it gets an empty one.
RUN = """
import json, sys
from chdb.session import Session
session = Session(sys.argv[1])
for sql in json.load(sys.stdin):
    answer = session.query(sql, "JSONEachRow")
    print(json.dumps([json.loads(line) for line in answer.bytes().decode().splitlines()]))
"""
SETTINGS = "SETTINGS output_format_json_quote_decimals = 1, output_format_json_quote_64bit_integers = 0"


@dataclass(frozen=True)
class LocalClickHouse:
    """Lies in a folder, and is started for each call."""

    folder: Path

    def ask(self, *questions: str, before: Iterable[str] = ()) -> list[list[Row]]:
        """The rows that each question is answered with, after the statements that come before. Raises on an error."""
        begin = list(before)
        queries = [*begin, *(f"{question} {SETTINGS}" for question in questions)]
        completed = subprocess.run(
            [sys.executable, "-c", RUN, str(self.folder / "data")], cwd=self.folder, input=json.dumps(queries),
            text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert completed.returncode == 0, completed.stderr[-2_000:]
        return [json.loads(line) for line in completed.stdout.splitlines()][len(begin) :]


def insert(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> str:
    """The statement that inserts whole rows as one block."""
    columns = contract.serving_columns
    values = ", ".join(f"({', '.join(_written(row[c]) for c in columns)})" for row in rows)
    return f"INSERT INTO {contract.name} ({', '.join(columns)}) VALUES {values}"


def _written(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bool() | int() | float():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case datetime():
            return quoted(f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}")
    return quoted(str(value))
