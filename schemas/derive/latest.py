"""Views of the newest versions: what holds today of tables that keep every version."""

from __future__ import annotations

from schemas.contract import Contract, tables
from schemas.derive.clickhouse import qualified
from schemas.derive.spark import ident
from schemas.rules import quoted

SUFFIX = "_latest"
_DELETIONS = "silver.{}_deletions"


def versioned() -> tuple[Contract, ...]:
    """Tables that keep versions and are served."""
    return tuple(t for t in tables("silver") if t.entity and t.clickhouse is not None)


def views(contract: Contract) -> list[str]:
    """The view of what holds today, and of a table of many kinds one for each: ``silver.procurement_ref_units``."""
    words = [kind.rpartition(".")[2] for kind in contract.fed_by] if contract.split_by else []
    return [view(contract), *(_part(contract, word) for word in words)]


def _part(contract: Contract, word: str) -> str:
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
    name = qualified(f"{contract.layer}.{contract.domain}_{word}")
    source = qualified(contract.name + SUFFIX)
    wanted = f"{ident(contract.split_by)} = {quoted(word)}"
    return f"CREATE OR REPLACE VIEW {name} AS\nSELECT {', '.join(shown)} FROM {source} WHERE {wanted}"


def _newest(contract: Contract) -> str:
    """Of a table that the nightly jobs keep: `is_current` says what holds, or the last version that is no deletion."""
    made = f"CREATE OR REPLACE VIEW {qualified(contract.name + SUFFIX)} AS\n"
    if "is_current" in contract.columns:
        return f"{made}SELECT * FROM {qualified(contract.name)} WHERE is_current"
    (version,) = (c for c in contract.key if c not in contract.entity)
    last = f"ORDER BY {ident(version)} DESC LIMIT 1 BY {', '.join(map(ident, contract.entity))}"
    return f"{made}SELECT * FROM (SELECT * FROM {qualified(contract.name)} {last}) WHERE NOT is_deleted"


def view(contract: Contract) -> str:
    """``silver.lots`` → the view ``silver.lots_latest``: of each lot the version that changed last, none deleted."""
    if contract.keeps_versions:
        return _newest(contract)
    entity = ", ".join(map(ident, ("collection_code", *contract.entity)))
    newest = "changed_at DESC, endsWith(source_code, '_short'), ingested_at DESC, kafka_offset DESC, line_no"
    rows = f"SELECT * FROM {qualified(contract.name)} FINAL ORDER BY {newest} LIMIT 1 BY {entity}"
    made = f"CREATE OR REPLACE VIEW {qualified(contract.name + SUFFIX)} AS\n"
    if not contract.services:
        return made + rows
    words = ", ".join(map(quoted, contract.services))
    number = f"concatWithSeparator('-', {', '.join(f'rows.{ident(c)}' for c in contract.entity)})"
    gone = (
        "SELECT collection_code, object_id, max(changed_at) AS deleted_at "
        f"FROM {_DELETIONS.format(contract.domain)} "
        f"WHERE replaceRegexpAll(lower(service_name), '[^a-z]', '') IN ({words}) GROUP BY collection_code, object_id"
    )
    return (
        f"{made}SELECT rows.* FROM ({rows}) AS rows\nLEFT JOIN ({gone}) AS gone\n"
        f"ON gone.collection_code = rows.collection_code AND gone.object_id = {number}\n"
        "WHERE gone.object_id = '' OR gone.deleted_at < rows.changed_at"
    )
