"""The addresses of a stack, as `urls` and the end of a start list them."""

from __future__ import annotations

import json
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from conf import Settings
from conf.addresses import addresses
from infra.local.parts import here
from infra.local.processes.supervisor import Supervisor


def listed(settings: Settings, passwords: bool = False) -> list[dict[str, Any]]:
    """The addresses for programs; passwords only when asked for.

    `runs` is false for a part of this machine that was not started, as Airflow after ``./start.sh --lite``.
    """
    info = Supervisor(settings).info()
    stopped = {name for name in here(settings) if info.get(name, {}).get("statename") not in ("RUNNING", "STARTING")}
    return [
        {"part": each.part, "what": each.title, "address": each.url, "user": each.user}
        | {"runs": each.part not in stopped}
        | ({"password": settings.secret(each.secret) if each.secret else ""} if passwords else {})
        for each in addresses(settings)
    ]


def show(
    settings: Settings,
    console: Console,
    passwords: bool = False,
    *,
    as_json: bool = False,
) -> None:
    """The addresses as a table; passwords only when asked for, since terminals are recorded.

    Parts that do not run are left out and named in a line below, unless nothing runs. An address or a key that is cut
    is none: where a table is too wide each stands in a line of its own.
    """
    columns = ["what", "address", "user", *(["password"] if passwords else [])]
    every = listed(settings, passwords)
    if as_json:
        print(json.dumps(every, indent=1))
        return
    is_up = any(row["runs"] for row in every if row["part"] in here(settings))
    rows = [row for row in every if row["runs"] or not is_up]
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(escape(row[name]) for name in columns))
    if table.__rich_measure__(console, console.options.update(width=1_000, max_width=1_000)).maximum <= console.width:
        console.print(table)
    else:
        for row in rows:
            console.print(f"[bold]{escape(row['what'])}[/]", soft_wrap=True)
            for name in columns[1:]:
                if row[name]:
                    console.print(f"  {name} {escape(row[name])}", soft_wrap=True)
    if stopped := ", ".join(row["what"] for row in every if row not in rows):
        console.print(f"[dim]Not running: {escape(stopped)}[/]", soft_wrap=True)
    if not passwords:
        file = settings.stack_home / "secrets.json"
        console.print(f"[dim]Passwords: ./start.sh urls --passwords  (file {file}, mode 600)[/]", soft_wrap=True)
