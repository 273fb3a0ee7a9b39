"""Views of the newest versions: what holds today of tables that keep every version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.contract import Contract, tables
from schemas.contract.rules import quoted
from schemas.derive.clickhouse import qualified
from schemas.derive.spark import ident

SUFFIX = "_latest"
LOOKUP = "lookup"
"""The database of views with parameters: BI tools ask every table of a database for its columns, and these have none
until their parameters are given."""
_DELETIONS = "silver.{}_deletions"


def versioned() -> tuple[Contract, ...]:
    """Tables that keep versions and are served."""
    return tuple(t for t in tables("silver") if t.business_key and t.clickhouse is not None)


def views(contract: Contract) -> list[str]:
    """The view of what holds today, of a table of many kinds one for each (``silver.procurement_ref_units``), and one
    for each column by which rows are looked up."""
    parts = [_part(contract, name, word) for name, word in contract.split_views.items()]
    return [view(contract), *parts, *(_lookup(contract, column) for column in lookups(contract).values())]


def lookups(contract: Contract) -> dict[str, str]:
    """View → the column by which it looks rows up: ``SELECT * FROM lookup.lots_by_number(value = '7')``."""
    keyed = not contract.keeps_versions and contract.business_key
    return {f"{LOOKUP}.{contract.table}_by_{c}": c.name for c in contract.serving_columns if c.lookup and keyed}


def name_of(contract: Contract) -> str:
    """``silver.lots`` → ``silver.lots_latest``."""
    return contract.name + SUFFIX


def _lookup(contract: Contract, column: str) -> str:
    """What holds today is known only when all versions of an entity have been compared, for any of them may have the
    value. So entities that ever had it are found by the column's index, and only their versions are compared: 0.14 s
    where the filter on the view of all takes 1.5 s (two million versions, of which 120 have the value)."""
    name = qualified(f"{LOOKUP}.{contract.table}_by_{column}")
    entity = ", ".join(map(ident, ("collection_code", *contract.business_key)))
    has = f"{ident(column)} = {{value:String}}"
    return (
        f"CREATE OR REPLACE VIEW {name} AS\nSELECT * FROM {qualified(name_of(contract))}\n"
        f"WHERE ({entity}) IN (SELECT {entity} FROM {qualified(contract.name)} WHERE {has}) AND {has}"
    )


def _part(contract: Contract, name: str, word: str) -> str:
    own = {
        "event_id",
        "line_no",
        "source_code",
        "changed_at",
        "fetched_at",
        "ingested_at",
        "arrival",
        contract.split_by,
    }
    shown = [ident(c) for c in contract.serving_columns if c not in own and not c.startswith("kafka_")]
    source = qualified(name_of(contract))
    wanted = f"{ident(contract.split_by)} = {quoted(word)}"
    return f"CREATE OR REPLACE VIEW {qualified(name)} AS\nSELECT {', '.join(shown)} FROM {source} WHERE {wanted}"


def _newest(contract: Contract) -> str:
    """Of a table that the nightly jobs keep: `is_current` says what holds, or the last version that is no deletion."""
    create = f"CREATE OR REPLACE VIEW {qualified(name_of(contract))} AS\n"
    if "is_current" in contract.columns:
        return f"{create}SELECT * FROM {qualified(contract.name)} WHERE is_current"
    (version,) = (c for c in contract.key if c not in contract.business_key)
    last = f"ORDER BY {ident(version)} DESC LIMIT 1 BY {', '.join(map(ident, contract.business_key))}"
    return f"{create}SELECT * FROM (SELECT * FROM {qualified(contract.name)} {last}) WHERE NOT is_deleted"


def summaries(contract: Contract) -> list[str]:
    """Kinds of rows that tell of an entity only in short, where another kind tells all: `contract_short` beside
    `contract`, `rnu` beside `rnu_entry`."""
    words = [kind.rpartition(".")[2] for kind in contract.fed_by]
    return [word for word in words if word.endswith("_short") or f"{word}_entry" in words]


def view(contract: Contract) -> str:
    """``silver.lots`` → the view ``silver.lots_latest``: of each lot the version that changed last, none deleted.

    A row in short counts only where none in full is there, however new it is: else what it does not tell would look
    empty, and rows without a time of their own, such as those of the list of bad suppliers, are always the newest.
    """
    if contract.keeps_versions:
        return _newest(contract)
    entity = ", ".join(map(ident, ("collection_code", *contract.business_key)))
    brief = [f"source_code IN ({', '.join(map(quoted, kinds))})"] if (kinds := summaries(contract)) else []
    newest = ", ".join([*brief, "changed_at DESC, ingested_at DESC, kafka_offset DESC, line_no"])
    source = f"{qualified(contract.name)} FINAL{_of_newest_events(contract)}"
    rows = f"SELECT * FROM {source} ORDER BY {newest} LIMIT 1 BY {entity}"
    create = f"CREATE OR REPLACE VIEW {qualified(name_of(contract))} AS\n"
    if "is_published" in contract.columns:
        # Asked of the newest version, after it was found: an older one does not come back.
        rows = f"SELECT * FROM ({rows}) WHERE ifNull(is_published, true)"
    for number, services in _deletable(contract):
        rows = _not_deleted(contract.domain, rows, number, services)
    return create + rows


def _of_newest_events(contract: Contract) -> str:
    """An application is sent whole: a bid that its newest event does not have was taken out of it."""
    if not contract.rows_of:
        return ""
    owner = f"collection_code, {ident(contract.rows_of)}"
    newest = "argMax(event_id, (changed_at, ingested_at, kafka_offset))"
    events = f"SELECT {owner}, {newest} FROM {qualified(contract.name)} GROUP BY {owner}"
    return f" WHERE ({owner}, event_id) IN ({events})"


def _deletable(contract: Contract) -> Iterator[tuple[str, Sequence[str]]]:
    """By what a row may be deleted, itself or what it belongs to: its number, and the journal's words for it."""
    if contract.services:
        yield (
            f"concatWithSeparator('-', {', '.join(f'rows.{ident(c)}' for c in contract.business_key)})",
            contract.services,
        )
    for column, services in contract.deleted_with:
        yield f"rows.{ident(column)}", services


def _not_deleted(domain: str, rows: str, number: str, services: Sequence[str]) -> str:
    # One join a query: with a second one ClickHouse would name the columns `rows.lot_id`.
    words = ", ".join(map(quoted, services))
    gone = (
        "SELECT collection_code, object_id, maxIf(changed_at, ifNull(is_deleted, true)) AS deleted_at "
        f"FROM {_DELETIONS.format(domain)} "
        f"WHERE replaceRegexpAll(lower(service_name), '[^a-z]', '') IN ({words}) GROUP BY collection_code, object_id "
        "HAVING argMax(ifNull(is_deleted, true), changed_at)"
    )
    return (
        f"SELECT rows.* FROM ({rows}) AS rows\nLEFT JOIN ({gone}) AS gone\n"
        f"ON gone.collection_code = rows.collection_code AND gone.object_id = {number}\n"
        "WHERE gone.object_id = '' OR gone.deleted_at < rows.changed_at"
    )
