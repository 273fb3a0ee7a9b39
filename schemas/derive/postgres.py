"""PostgreSQL: what a migrated table must look like, and in what a live one differs.

Tables are made by migrations, whose history cannot follow a contract; so the contract is the measure, not the maker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.contract import Contract

COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS is_optional
FROM pg_attribute a WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
KEYS = """
SELECT c.contype AS kind, c.confrelid::regclass::text AS other,
       array(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, place)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY place) AS columns
FROM pg_constraint c WHERE c.conrelid = %(table)s::regclass AND c.contype IN ('p', 'f')
"""


def columns(contract: Contract) -> dict[str, tuple[str, bool]]:
    """Each column's type, as ``format_type`` spells it, and whether it may be null."""
    return {c.name: (c.type.postgres, c.optional) for c in contract.columns}


def differences(contract: Contract, live: Iterable[Mapping[str, Any]], keys: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence for each difference, from the answers to `COLUMNS` and `KEYS`; the order of columns is free."""
    declared = columns(contract)
    have = {row["name"]: (row["type"], row["is_optional"]) for row in live}
    texts = [f"{contract.name} has no column {name}" for name in declared if name not in have]
    texts += [
        f"{contract.name} has a column {name} that the contract does not declare" for name in have.keys() - declared
    ]
    texts += [
        f"{contract.name}.{name} is {_type_text(*have[name])}, the contract declares {_type_text(*wanted)}"
        for name, wanted in declared.items() if name in have and have[name] != wanted
    ]  # fmt: skip
    constraints = list(keys)
    primary = next((tuple(k["columns"]) for k in constraints if k["kind"] == "p"), ())
    if primary != contract.key:
        texts.append(f"{contract.name} has the primary key ({', '.join(primary)}), not ({', '.join(contract.key)})")
    live_references = {(k["columns"][0], k["other"]) for k in constraints if k["kind"] == "f"}
    wanted_references = {(column, other.name) for column, other in contract.references}
    for column, other in sorted(live_references ^ wanted_references):
        lacks = "does not refer" if (column, other) in wanted_references else "refers"
        texts.append(f"{contract.name}.{column} {lacks} to {other}")
    return texts


def _type_text(type: str, is_optional: bool) -> str:
    return f"{type} {'null' if is_optional else 'not null'}"
