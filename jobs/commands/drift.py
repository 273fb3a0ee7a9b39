"""The daily report of schema drift: ``python -m jobs.commands.drift [--day D] [--json]``.

Bronze keeps every field that a register sends. This says which of them the table of fields (schemas/procurement/
fields.py) does not know, and which documented ones no row of a register had, on the newest day of bronze or a given
one. It stands in `ops.schema_drift`; a report of the same day replaces the one before. ClickHouse reads bronze itself,
so a day of a million rows takes seconds. Exit code 0: reported, drift or not. 1: a part is down. 2: that is no day.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from conf import Settings, settings
from conf.connect import clickhouse
from jobs.core import damaged_table
from jobs.core.errors import Failed, Refused
from jobs.core.lake import S3Lake
from jobs.core.needed_parts import need_parts
from jobs.core.push import delta, pinned
from schemas.contract import contract
from schemas.contract.rules import quoted
from schemas.derive.live_tables import ContractMismatch, apply_clickhouse
from schemas.ops.schema_drift import SchemaDrift
from schemas.procurement.endpoints import ENDPOINTS, by_name
from schemas.procurement.events import ProcurementRaw

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

BRONZE, DRIFT = contract(ProcurementRaw), contract(SchemaDrift)
FIELDS = "schemas/procurement/fields.py"
EVERY_ROW = ""
"""The field that every row is counted to have, beside its own."""


@dataclass(frozen=True)
class Seen:
    """A field of a register's rows on one day; `types` are the kinds of its values."""

    collection: str
    register: str
    event_type: str
    field: str
    rows: int
    types: str
    first_at: datetime
    example: str


@dataclass(frozen=True)
class Drift:
    """A field that is not as the table of fields says: a row of `ops.schema_drift`, but for the day and the time."""

    collection_code: str
    register_name: str
    field_name: str
    event_type: str
    drift_code: str
    row_count: int
    value_types: str
    first_seen_at: datetime
    example_id: str

    @property
    def mark(self) -> tuple[str, str, str, str]:
        return self.collection_code, self.register_name, self.field_name, self.drift_code

    def __str__(self) -> str:
        what = f"has an unknown field {self.field_name}" if self.drift_code == "unknown" else f"lacks {self.field_name}"
        of_what = f" ({self.value_types})" if self.value_types else ""
        return (
            f"{self.collection_code}, {self.register_name} {what}{of_what} in {self.row_count:,} rows, "
            f"since {self.first_seen_at:%Y-%m-%d %H:%M}, for example {self.example_id}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. What a person can mend is printed as a sentence."""
    asked = _parser().parse_args(arguments)
    try:
        day, found = report(settings(), _day(asked.day) if asked.day else None)
    except Failed as error:
        print(error, file=sys.stderr)
        return error.code
    words = [str(drift) for drift in found]
    if day is None:
        words.append("Nothing came in yet, so nothing has drifted.")
    elif found:
        words.append(f"{len(found)} fields have drifted on {day}. New ones are kept in bronze: add them to {FIELDS}.")
    else:
        words.append(f"On {day} every register had the fields that are known of it.")
    print("\n".join(words), file=sys.stderr if asked.json else sys.stdout)
    if asked.json:
        told = [{**vars(drift), "first_seen_at": drift.first_seen_at.isoformat()} for drift in found]
        print(json.dumps({"day": str(day) if day else "", "drift": told}, ensure_ascii=False))
    return 0


def report(settings: Settings, day: date | None) -> tuple[date | None, list[Drift]]:
    """Look at a day, or at the newest, and record what is found. The day is None while bronze is empty."""
    need_parts(settings)
    lake = S3Lake(settings)
    version = lake.version(BRONZE.name)
    if version is None:
        return None, []
    from clickhouse_connect.driver.exceptions import DatabaseError

    client = clickhouse(settings, send_receive_timeout=1800)
    try:
        apply_clickhouse(client, [DRIFT])
        source = delta(lake.url(BRONZE.name))
        day = day or newest_day(client, f"{source} {pinned(version)}")
        if day is None:
            return None, []
        rows = client.query(f"{question(source, day)} {pinned(version)}").result_rows
        before = earlier(client)
        found = [since(drift, before) for drift in drifts(map(seen, rows))]
        record(client, day, found)
        return day, found
    except ContractMismatch as difference:
        raise Failed(f"A contract and a live table disagree.\n{difference}") from None
    except DatabaseError as error:
        raise Failed(damaged_table.told(BRONZE.name, error)) from None
    finally:
        client.close()


def newest_day(client: Client, source: str) -> date | None:
    """The last day on which anything came; None where nothing did."""
    asked = f"SELECT count(), toString(toDate(max(ingested_at), 'UTC')) FROM {source}"
    ((count, last),) = client.query(asked).result_rows
    return date.fromisoformat(last) if count else None


def question(source: str, day: date) -> str:
    """Every field of every register on a day, in how many rows, as what. One look at each row's JSON.

    The register is the second part of an event's id, since several registers may share an event type.
    """
    registers = [endpoint.name for endpoint in ENDPOINTS if endpoint.event_type]
    begin, end = (f"toDateTime64({quoted(f'{d} 00:00:00')}, 6, 'UTC')" for d in (day, day + timedelta(days=1)))
    return (
        "SELECT collection, register, event_type, field.1 AS name, count(), "
        "arrayStringConcat(arraySort(groupUniqArray(multiIf("
        "field.2 = '', '', startsWith(field.2, '\"'), 'text', startsWith(field.2, '{'), 'object', "
        "startsWith(field.2, '['), 'list', field.2 = 'null', 'null', field.2 IN ('true', 'false'), 'flag', 'number'"
        "))), ', '), toString(min(at), 'UTC'), min(id) "
        "FROM (SELECT ifNull(event_id, '') AS id, splitByChar(':', id) AS parts, parts[1] AS collection, "
        "parts[2] AS register, ingested_at AS at, "
        "ifNull(event_type, '') AS event_type, "
        "arrayJoin(arrayPushBack(JSONExtractKeysAndValuesRaw(ifNull(value, '')), ('', ''))) AS field "
        f"FROM {source} WHERE ingested_at >= {begin} AND ingested_at < {end} AND isValidJSON(ifNull(value, ''))) "
        f"WHERE register IN {tuple(registers)} AND event_type IN {tuple(_event_types())} "
        "GROUP BY collection, register, event_type, name"
    )


def seen(row: Sequence[Any]) -> Seen:
    """A row of the answer."""
    collection, register, event_type, field, rows, types, first, example = row
    first_at = datetime.fromisoformat(str(first)).replace(tzinfo=UTC)
    return Seen(
        str(collection), str(register), str(event_type), str(field), int(rows), str(types), first_at, str(example)
    )  # fmt: skip


def drifts(fields: Iterable[Seen]) -> list[Drift]:
    """What is not as it is known to be, register by register."""
    by_register: dict[tuple[str, str], dict[str, Seen]] = defaultdict(dict)
    for field in fields:
        by_register[field.collection, field.register][field.field] = field
    found = []
    for (_, register), own in sorted(by_register.items()):
        endpoint = by_name()[register]
        every = own[EVERY_ROW]
        news = sorted(set(own) - endpoint.known_fields - {EVERY_ROW})
        found += [_drift("unknown", own[name], name) for name in news]
        # Of the documented sample; other fields that clients have met may be absent.
        found += [_drift("missing", every, name) for name in sorted(set(endpoint.fields) - set(own))]
    return found


def _drift(code: str, field: Seen, name: str) -> Drift:
    types = field.types if code == "unknown" else ""
    return Drift(
        field.collection, field.register, name, field.event_type, code, field.rows, types, field.first_at, field.example
    )


def earlier(client: Client) -> dict[tuple[str, ...], datetime]:
    """Since when each drift has been reported before."""
    rows = client.query(
        "SELECT toString(collection_code), register_name, field_name, toString(drift_code), "
        f"toString(min(first_seen_at)) FROM {DRIFT.name} FINAL "
        "GROUP BY collection_code, register_name, field_name, drift_code"
    ).result_rows
    return {tuple(mark): datetime.fromisoformat(first).replace(tzinfo=UTC) for *mark, first in rows}


def since(drift: Drift, before: dict[tuple[str, ...], datetime]) -> Drift:
    """The drift, with the earliest time at which it was seen."""
    return replace(drift, first_seen_at=min(drift.first_seen_at, before.get(drift.mark, drift.first_seen_at)))


def record(client: Client, day: date, found: Sequence[Drift]) -> None:
    """Put the report of a day in the place of an earlier one of the same day."""
    same = f"reported_on = toDate32({quoted(str(day))})"
    client.command(f"DELETE FROM {DRIFT.name} WHERE {same}", settings={"lightweight_deletes_sync": 2})
    shared = {"reported_on": day, "reported_at": datetime.now(UTC)}
    columns = [c.name for c in DRIFT.serving_columns]
    rows = [[{**shared, **vars(drift)}[c] for c in columns] for drift in found]
    if rows:
        client.insert(DRIFT.name, rows, column_names=columns)


def _event_types() -> list[str]:
    return sorted({endpoint.event_type for endpoint in ENDPOINTS if endpoint.event_type})


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Refused(f"{text!r} is no day; write it like 2026-03-01") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jobs.commands.drift", description="Report fields that registers changed."
    )
    parser.add_argument("--day", help="the day (UTC) whose rows are looked at; the newest where it is left out")
    parser.add_argument("--json", action="store_true", help="one line of JSON on stdout, and all words on stderr")
    return parser


if __name__ == "__main__":
    sys.exit(main())
