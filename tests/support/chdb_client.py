"""A ClickHouse without a server, behind the few methods of ``clickhouse_connect`` that the streams use."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

# chdb reads the config.xml of the current folder, so it gets an empty one; a session is one for a process.
RUN = """
import base64, json, sys
from chdb.session import Session
session = Session(sys.argv[1])
for line in sys.stdin:
    sql, form = json.loads(line)
    try:
        answer = session.query(sql, form)
        said = {"body": base64.b64encode(answer.bytes() or b"").decode()}
    except Exception as error:
        said = {"error": str(error)}
    print(json.dumps(said), flush=True)
"""


class Answer:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.result_rows = rows


class ChdbClient:
    """Lives in a process of its own, in a folder. `asked` has every statement, oldest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.queries: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(folder / "data")], cwd=folder, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def query_arrow(self, sql: str, settings: Mapping[str, Any] | None = None) -> pa.Table:
        body = self._ask(sql, settings, "ArrowStream")
        return pa.ipc.open_stream(body).read_all() if body else pa.table({})

    def query(self, sql: str, settings: Mapping[str, Any] | None = None) -> Answer:
        lines = self._ask(sql, settings, "JSONCompactEachRow").decode().splitlines()
        return Answer([tuple(json.loads(line)) for line in lines])

    def command(self, sql: str, settings: Mapping[str, Any] | None = None) -> None:
        self._ask(sql, settings, "Null")

    def insert_arrow(self, table: str, rows: pa.Table, settings: Mapping[str, Any] | None = None) -> None:
        file = self.folder / "rows.arrow"
        with pa.OSFile(str(file), "wb") as out, pa.ipc.new_file(out, rows.schema) as writer:
            writer.write_table(rows)
        columns = ", ".join(rows.column_names)
        self._ask(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM file('{file}', Arrow)", settings, "Null")

    def _ask(self, sql: str, settings: Mapping[str, Any] | None, form: str) -> bytes:
        given = {"output_format_arrow_string_as_string": 1, "output_format_json_quote_64bit_integers": 0}
        every = given | dict(settings or {})
        output = ", ".join(f"{name} = {value!r}" for name, value in every.items())
        self.queries.append(sql)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([f"{sql} SETTINGS {output}" if form != "Null" else sql, form]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, f"{sql}\n{answer.get('error')}"
        return base64.b64decode(answer["body"])
