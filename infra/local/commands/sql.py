"""``./start.sh sql``: a question to ClickHouse as the user `reader`, answered in a table."""

from __future__ import annotations

import json
import sys

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conf import Settings
from infra.local import clickhouse_http
from infra.local.command_line import current, out

FORMATS = {"CSV": "CSVWithNames", "TSV": "TabSeparatedWithNames", "JSON": "JSON"}
MOST_ROWS = 1_000
PRETTY = "JSONCompactStrings"


def ask(settings: Settings, query: str, chosen: str | None, console: Console) -> None:
    """Print the answer, pretty or in a format of ClickHouse. `Failed` with ClickHouse's sentence on an error."""
    query = query.strip().rstrip(";")
    options = {"default_format": FORMATS.get((chosen or "").upper(), chosen or PRETTY)}
    if not chosen:
        # A person reads no more; whoever wants all rows names a format.
        options |= {"max_result_rows": str(MOST_ROWS), "result_overflow_mode": "break"}
        options |= {"output_format_decimal_trailing_zeros": "1"}
    format_name, chunks = clickhouse_http.query(settings, query, "reader", settings.secrets.clickhouse_reader, options)
    if format_name != PRETTY or chosen:
        # Either asked for by --format, or the query ends with a FORMAT of its own.
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    body = b"".join(chunks)
    if body.strip():
        print_answer(json.loads(body), console)


def print_answer(answer: dict[str, object], console: Console) -> None:
    """ClickHouse's JSONCompactStrings as a table."""
    meta, data = answer["meta"], answer["data"]
    assert isinstance(meta, list)
    assert isinstance(data, list)
    table = Table(box=box.SIMPLE_HEAD)
    for column in meta:
        is_number = any(word in column["type"] for word in ("Int", "Float", "Decimal")) and "(" not in column["name"]
        table.add_column(Text(column["name"]), justify="right" if is_number else "left", overflow="fold")
    for row in data[:MOST_ROWS]:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    console.print(table)
    more = len(data) >= MOST_ROWS
    count = f"the first {MOST_ROWS} rows; --format CSV gives all" if more else f"{len(data)} rows"
    console.print(f"[dim]{'1 row' if len(data) == 1 else count}[/]")


@click.command()
@click.argument("query")
@click.option("--format", "chosen", help="CSV, TSV, JSON or any format of ClickHouse, instead of a table.")
def sql(query: str, chosen: str | None) -> None:
    """Ask ClickHouse a QUERY, as the user `reader`, who can change nothing. "-" reads the query from stdin."""
    ask(current(), sys.stdin.read() if query == "-" else query, chosen, out())
