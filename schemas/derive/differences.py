"""What differs between a live table and its contract, each with its sentence and remedy. Pure: facts in, text out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.contract import Column, Contract
from schemas.derive import clickhouse, delta
from schemas.derive.spark import schema_json, type_text


@dataclass(frozen=True)
class Difference:
    """One fact in which a live table and its contract differ.

    `statement` brings the table in line where that can be done without touching a row, and is empty where it can't;
    then `remedy` says what to do. `done` says what the statement did, and is empty where that is not worth a line.
    """

    table: str
    column: str
    sentence: str
    remedy: str = ""
    statement: str = ""
    done: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}".strip()


def differences_delta(
    schema_fields: Iterable[Mapping[str, Any]], contract: Contract, path: str = ""
) -> list[Difference]:
    """All differences in columns, from the ``fields`` of the live table's schema in Spark's JSON form."""
    live = {field["name"]: field for field in schema_fields}
    remedy = _delta_remedy(contract, path)
    differences = []
    declared = {field["name"]: field for field in schema_json(contract)["fields"]}
    for column in contract.columns:
        what = f"The Delta table {contract.name}"
        want = type_text(declared[column]["type"])
        if column not in live:
            add = delta.add_columns(contract, path, [column])[0] if column.optional else ""
            differences.append(_missing(what, contract, column, want, remedy, add))
            continue
        have = type_text(live[column]["type"])
        if have != want:
            differences.append(_differs(contract, column, f"{what}, column {column}", "type", have, want, remedy))
        elif live[column]["nullable"] != column.optional:
            have, want = _need(live[column]["nullable"]), _need(column.optional)
            differences.append(
                _differs(contract, column, f"{what}, column {column}", "nullability", have, want, remedy)
            )
        elif live[column].get("metadata", {}).get("comment", "") != column.description:
            differences.append(_comment(contract, column, delta.set_comment(path, column)))
    differences += [_surplus(f"The Delta table {contract.name}", contract, name, type_text(live[name]["type"]), remedy)
              for name in live if name not in declared]  # fmt: skip
    return differences


def clickhouse_columns(contract: Contract, live: Mapping[str, tuple[str, str]]) -> list[Difference]:
    what, remedy = f"The ClickHouse table {contract.name}", _clickhouse_remedy(contract)
    differences = []
    declared = clickhouse.columns(contract)
    for column in contract.serving_columns:
        want = declared[column]
        if column not in live:
            can_add = column.optional and column.name not in contract.sorting_key
            add = clickhouse.add_column(contract, column) if can_add else ""
            differences.append(_missing(what, contract, column, want, remedy, add))
            continue
        have, comment = live[column]
        if have != want:
            fact = "nullability" if _without_nullable(have) == _without_nullable(want) else "type"
            differences.append(_differs(contract, column, f"{what}, column {column}", fact, have, want, remedy))
        elif comment != column.description:
            differences.append(_comment(contract, column, clickhouse.set_comment(contract, column)))
    differences += [_surplus(what, contract, name, live[name][0], remedy) for name in live if name not in declared]
    return differences


def clickhouse_indexes(contract: Contract, live: Mapping[str, tuple[str, str]]) -> list[Difference]:
    """All differences in indexes, `live` being their columns and types by name. None of them touches a row."""
    wanted = clickhouse.indexes(contract)
    name = contract.name
    differences = []
    for index in [i for i in live if live[i] != wanted.get(i)]:
        sentence = f"The ClickHouse table {name} has an index {index} that the contract does not declare so."
        drop = clickhouse.drop_index(contract, index)
        done = "" if index in wanted else f"Dropped the index {index} of {name}."
        differences.append(Difference(name, live[index][0], sentence, statement=drop, done=done))
    for index in [i for i in wanted if live.get(i) != wanted[i]]:
        column = wanted[index][0]
        sentence = f"The ClickHouse table {name} has no index {index}; the contract declares it."
        add, fill = clickhouse.add_index(contract, index), clickhouse.fill_index(contract, index)
        differences.append(
            Difference(name, column, sentence, statement=add, done=f"Added the index {index} to {name}.")
        )
        differences.append(Difference(name, column, f"The index {index} of {name} lacks older rows.", statement=fill))
    return differences


def clickhouse_table(
    contract: Contract, engine_full: str, partition: str, sorting: str, comment: str
) -> list[Difference]:
    storage = clickhouse.engine_of(contract)
    clauses = re.match(
        r"(?P<engine>.*?)(?: PARTITION BY .*?)?(?: PRIMARY KEY .*?)?(?: ORDER BY .*?)?(?: TTL (?P<ttl>.*?))?"
        r"(?: SETTINGS (?P<settings>.*))?$",
        engine_full,
    )
    engine, ttl, settings = (clauses["engine"], clauses["ttl"], clauses["settings"]) if clauses else ("", "", "")
    compared = {
        "engine": (engine, clickhouse.engine(contract)),
        "sorting key": (sorting, ", ".join(contract.sorting_key)),
        "partition key": (partition, storage.partition),
        "TTL": (ttl or "", storage.ttl),
    }
    differences = [
        _differs(contract, "", f"The ClickHouse table {contract.name}", fact, have or "none", want or "none",
                 _clickhouse_remedy(contract))
        for fact, (have, want) in compared.items() if _spelled(have) != _spelled(want)
    ]  # fmt: skip
    window = re.search(r"non_replicated_deduplication_window = (\d+)", settings or "")
    if int(window[1] if window else 0) != storage.dedup_window:
        have = window[1] if window else "0"
        differences.append(
            Difference(
                contract.name, "",
                f"The ClickHouse table {contract.name} remembers {have} insert tokens; "
                f"the contract declares {storage.dedup_window}.",
                statement=clickhouse.set_dedup_window(contract),
                done=f"{contract.name} now remembers {storage.dedup_window} insert tokens (before: {have}).",
            )
        )  # fmt: skip
    if comment != contract.description:
        differences.append(
            Difference(
                contract.name, "", f"The ClickHouse table {contract.name} has another comment than the contract.",
                statement=clickhouse.set_table_comment(contract),
            )
        )  # fmt: skip
    return differences


def delta_properties(live: Mapping[str, str], contract: Contract, path: str) -> list[Difference]:
    wanted = delta.properties(contract)
    changed = {key: value for key, value in wanted.items() if live.get(key) != value}
    # One of the two ways to limit statistics would override the other.
    gone = [key for key in delta.STATISTICS_PROPERTIES if key in live and key not in wanted]
    differences = []
    what = f"The Delta table {contract.name} has other properties than the contract"
    if changed:
        differences.append(
            Difference(
                contract.name, "", f"{what}: {', '.join(changed)}.", statement=delta.set_properties(path, changed)
            )
        )
    if gone:
        differences.append(
            Difference(contract.name, "", f"{what}: {', '.join(gone)}.", statement=delta.unset_properties(path, gone))
        )
    return differences


def _missing(what: str, contract: Contract, column: Column, want: str, remedy: str, statement: str) -> Difference:
    need = "optional" if column.optional else "required"
    sentence = f"{what} has no column {column}; the contract declares it ({want}, {need})."
    done = f"Added the optional column {column} ({want}) to {what[0].lower()}{what[1:]}."
    if statement:
        return Difference(contract.name, column.name, sentence, statement=statement, done=done)
    return Difference(contract.name, column.name, sentence, remedy)


def _surplus(what: str, contract: Contract, name: str, have: str, remedy: str) -> Difference:
    return Difference(
        contract.name, name, f"{what} has a column {name} ({have}) that the contract does not declare.", remedy
    )


def _differs(
    contract: Contract, column: str, what: str, fact: str, have: str, want: str, remedy: str
) -> Difference:  # fmt: skip
    return Difference(
        contract.name, str(column), f"{what}: the live {fact} is {have}, the contract declares {want}.", remedy
    )


def _comment(contract: Contract, column: Column, statement: str) -> Difference:
    sentence = f"{contract.name}, column {column}: the live comment differs from the contract's description."
    return Difference(contract.name, column.name, sentence, statement=statement)


def _clickhouse_remedy(contract: Contract) -> str:
    if contract.layer == "gold":
        return f"It can be built again: DROP TABLE {contract.name} in ClickHouse, then ./start.sh job {contract.name}."
    return _MIGRATE


def _delta_remedy(contract: Contract, path: str) -> str:
    if contract.layer == "gold":
        return f"It can be built again: delete {path or 'its folder'}, then ./start.sh job {contract.name}."
    return _MIGRATE


_MIGRATE = "Take the contract's change back, or write a migration: new table, copy, swap; see CONTRIBUTING."


def _need(nullable: bool) -> str:
    return "optional" if nullable else "required"


def _without_nullable(type_: str) -> str:
    return re.sub(r"Nullable\((.*)\)", r"\1", type_, count=1)


def _spelled(expression: str) -> str:
    """An expression as the server shows it, but for spaces."""
    shown = re.sub(
        r"INTERVAL\s+(\d+)\s+(\w+)", lambda m: f"toInterval{m[2].capitalize()}({m[1]})", expression, flags=re.I
    )
    return re.sub(r"\s", "", shown)
