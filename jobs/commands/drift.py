"""The daily report of schema drift: ``python -m jobs.commands.drift [--day D] [--domain D] [--json]``.

Bronze keeps every field that a source sends. This says which of them a domain's catalog of fields
(jobs/<domain>/known_fields.py) does not know, and which documented ones no row of a register had, on the newest day of
bronze or a given one. It stands in `ops.schema_drift`; a report of the same day replaces the one before. ClickHouse
reads bronze itself, so a day of a million rows takes seconds. Exit code 0: reported, drift or not. 1: a part is down.
2: that is no day, or no such domain.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from conf import Settings, settings
from conf.connect import clickhouse
from jobs.core import damaged_table
from jobs.core.command_line import with_exit_code
from jobs.core.errors import Failed, Refused
from jobs.core.field_catalog import FieldCatalog, field_catalogs
from jobs.core.lake import S3Lake
from jobs.core.needed_parts import need_parts
from jobs.core.push import delta, pinned
from schemas.contract import contract
from schemas.contract.rules import quoted
from schemas.derive.live_tables import ContractMismatch, apply_clickhouse
from schemas.ops.schema_drift import SchemaDrift

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DRIFT = contract(SchemaDrift)
EVERY_ROW = ""
"""The field that every row is counted to have, beside its own."""


@dataclass(frozen=True)
class FieldStats:
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


@click.command()
@click.option("--day", default="", help="The day (UTC) whose rows are looked at; the newest where it is left out.")
@click.option("--domain", default="", help="Only this domain, e.g. procurement; all where it is left out.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout, and all words on stderr.")
@with_exit_code
def main(day: str, domain: str, as_json: bool) -> int:
    """Report fields that registers changed."""
    wanted = _day(day) if day else None
    reports = [report(settings(), catalog, wanted) for catalog in chosen(domain)]
    lines = [line for one in reports for line in one.lines()]
    print("\n".join(lines), file=sys.stderr if as_json else sys.stdout)
    if as_json:
        days = [one.day for one in reports if one.day is not None]
        drift = [{**vars(d), "first_seen_at": d.first_seen_at.isoformat()} for one in reports for d in one.drift]
        print(json.dumps({"day": str(max(days)) if days else "", "drift": drift}, ensure_ascii=False))
    return 0


@dataclass(frozen=True)
class Report:
    """The drift of a domain on a day; the day is None while bronze is empty."""

    catalog: FieldCatalog
    day: date | None
    drift: list[Drift]

    def lines(self) -> list[str]:
        """The report as sentences."""
        if self.day is None:
            return [f"{self.catalog.bronze.name} has no rows yet, so nothing has drifted."]
        if not self.drift:
            return [f"On {self.day} every register of {self.catalog.domain} had the fields that are known of it."]
        return [
            *map(str, self.drift),
            f"{len(self.drift)} fields have drifted on {self.day}. New ones are kept in bronze: add them to "
            f"{self.catalog.file}.",
        ]


def chosen(domain: str) -> list[FieldCatalog]:
    """The catalog of a domain, or all. Raises Refused where the domain has none."""
    every = field_catalogs()
    if domain and domain not in every:
        raise Refused(f"No domain with a catalog of fields is called {domain!r}; there are: {', '.join(every)}")
    return [every[domain]] if domain else list(every.values())


def report(settings: Settings, catalog: FieldCatalog, day: date | None) -> Report:
    """Compare a day, or the newest one, with the catalog and record the differences."""
    need_parts(settings)
    lake, bronze = S3Lake(settings), catalog.bronze.name
    version = lake.version(bronze)
    if version is None:
        return Report(catalog, None, [])
    from clickhouse_connect.driver.exceptions import DatabaseError

    client = clickhouse(settings, send_receive_timeout=1800)
    try:
        apply_clickhouse(client, [DRIFT])
        source = delta(lake.url(bronze))
        day = day or newest_day(client, f"{source} {pinned(version)}")
        if day is None:
            return Report(catalog, None, [])
        rows = client.query(f"{drift_query(catalog, source, day)} {pinned(version)}").result_rows
        before = earlier(client)
        drift = [since(one, before) for one in drifts(catalog, map(field_stats, rows))]
        record(client, catalog, day, drift)
        return Report(catalog, day, drift)
    except ContractMismatch as difference:
        raise Failed(f"A contract and a live table disagree.\n{difference}") from None
    except DatabaseError as error:
        raise Failed(damaged_table.damage_sentence(bronze, error)) from None
    finally:
        client.close()


def newest_day(client: Client, source: str) -> date | None:
    """The last day on which anything came; None where nothing did."""
    query = f"SELECT count(), toString(toDate(max(ingested_at), 'UTC')) FROM {source}"
    ((count, last),) = client.query(query).result_rows
    return date.fromisoformat(last) if count else None


def drift_query(catalog: FieldCatalog, source: str, day: date) -> str:
    """Every field of every register on a day, in how many rows, as what. One look at each row's JSON.

    The register is the second part of an event's id, since several registers may share an event type.
    """
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
        f"WHERE register IN {_listed(catalog.registers)} AND event_type IN {_listed(catalog.event_types)} "
        "GROUP BY collection, register, event_type, name"
    )


def field_stats(row: Sequence[Any]) -> FieldStats:
    """A row of the answer."""
    collection, register, event_type, field, rows, types, first, example = row
    first_at = datetime.fromisoformat(str(first)).replace(tzinfo=UTC)
    return FieldStats(
        str(collection), str(register), str(event_type), str(field), int(rows), str(types), first_at, str(example)
    )  # fmt: skip


def drifts(catalog: FieldCatalog, fields: Iterable[FieldStats]) -> list[Drift]:
    """What is not as it is known to be, register by register."""
    by_register: dict[tuple[str, str], dict[str, FieldStats]] = defaultdict(dict)
    for field in fields:
        by_register[field.collection, field.register][field.field] = field
    drift = []
    for (_, register), own in sorted(by_register.items()):
        known = catalog.registers[register]
        every = own[EVERY_ROW]
        news = sorted(set(own) - known.known - {EVERY_ROW})
        drift += [_drift("unknown", own[name], name) for name in news]
        # Of the documented sample; other fields that clients have met may be absent.
        drift += [_drift("missing", every, name) for name in sorted(set(known.documented) - set(own))]
    return drift


def _drift(code: str, field: FieldStats, name: str) -> Drift:
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


def record(client: Client, catalog: FieldCatalog, day: date, drift: Sequence[Drift]) -> None:
    """Replace an earlier report of the same domain and day."""
    same = f"reported_on = toDate32({quoted(str(day))}) AND register_name IN {_listed(catalog.registers)}"
    client.command(f"DELETE FROM {DRIFT.name} WHERE {same}", settings={"lightweight_deletes_sync": 2})
    shared = {"reported_on": day, "reported_at": datetime.now(UTC)}
    columns = [c.name for c in DRIFT.serving_columns]
    rows = [[{**shared, **vars(one)}[c] for c in columns] for one in drift]
    if rows:
        client.insert(DRIFT.name, rows, column_names=columns)


def _listed(names: Iterable[str]) -> str:
    return f"({', '.join(map(quoted, names))})"


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Refused(f"{text!r} is no day; write it like 2026-03-01") from None


if __name__ == "__main__":
    main()
