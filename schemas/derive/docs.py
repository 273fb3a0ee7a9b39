"""The catalogue: docs/reference/catalogue.md, made from the contracts.

``python -m schemas.derive.docs`` writes it; with ``--check`` it ends with exit code 1 where the page is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter
from pathlib import Path

from schemas.contract import Column, Contract, Replacing, contracts, entities, events, order_by_dependency, tables
from schemas.contract.references import Reference, references
from schemas.contract.registry import declared_views
from schemas.contract.rules import OnFail, RowRule
from schemas.contract.types import ALL
from schemas.contract.view import View
from schemas.derive import latest_views, views
from schemas.derive.clickhouse import columns, engine, engine_of

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "docs/reference/catalogue.md"
CATALOGUE = REPOSITORY / NAME
REFRESH = "python -m schemas.derive.docs"

LAYERS = {
    "stage": "what waits in files",
    "bronze": "what came in, byte for byte",
    "silver": "clean rows",
    "quarantine": "what was refused, and why",
    "gold": "answers",
    "ops": "what ran",
}
_REFRESHED = {
    "stream": "by the streams, within seconds",
    "nightly": "by the nightly jobs",
    "always": "whenever something runs",
}
_HEAD = f"""# Catalogue

<!-- Made by `{REFRESH}` from the contracts in schemas/; change those, not this file. -->

Every event, entity, table and view of Sauda: what a row is, what its columns mean, which rules it keeps and where it
comes from. A column is required unless it is marked *optional*; **key** columns together name a row. Times are UTC.
"""


def catalogue(folder: Path = views.FOLDER) -> str:
    """The whole page. `folder` has the views that are files."""
    domains = sorted({c.domain for c in contracts()}, key=lambda domain: (domain == "ops", domain))
    parts = [_HEAD, _contents(domains)]
    for domain in domains:
        parts.append(f"## {domain}\n")
        lineage = _lineage(domain)
        parts += [lineage] if lineage else []
        declared = [e for e in events() if e.domain == domain]
        parts += [_entity(e) for e in entities(domain)]
        parts += [_event(e) for e in declared]
        parts += [_feed(f) for f in contracts() if f.kind == "feed" and f.domain == domain]
        for layer in LAYERS:
            parts += [_table(t) for t in tables(layer, domain)]
    parts.append(_views(sorted([*declared_views(), *views.view_files(folder)], key=attrgetter("name"))))
    parts.append(_types())
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def _contents(domains: Iterable[str]) -> str:
    rows = [
        [_link(t), _sentence(t), _REFRESHED.get(t.refresh, "")]
        for domain in domains
        for layer in LAYERS
        for t in tables(layer, domain)
    ]
    return _markdown_table(["table", "what it holds", "refreshed"], rows)


def _lineage(domain: str) -> str:
    """A drawing of what is built from what; empty where nothing is."""
    members = order_by_dependency(c for c in tables(domain=domain) if c.built_from)
    arrows = [f"  {_node(source)} --> {_node(c)}" for c in members for source in c.built_from]
    return "\n".join(["```mermaid", "flowchart LR", *arrows, "```\n"]) if arrows else ""


def _node(contract: Contract) -> str:
    shape = "(({}))" if contract.kind == "event" else "[{}]"
    return contract.name.replace(".", "_") + shape.format(contract.name)


def _event(event: Contract) -> str:
    facts = [
        f"- Topic `{event.topic}`, {event.partitions} partitions; at most {event.max_bytes:,} bytes an event.",
        "- An event that breaks a rule goes to quarantine; the stream goes on.",
        *_row_rules(event.rules),
    ]
    parts = [f"### Event `{event.event_type}`\n", event.description, "", *facts, "", _columns(event)]
    for column in event.columns:
        if column.items is not None:
            parts += [f"Each element of `{column}`: {column.items.description}", ""]
            parts += [*_row_rules(column.items.rules), ""] if column.items.rules else []
            parts.append(_columns(column.items))
    return "\n".join(parts)


def _entity(contract: Contract) -> str:
    facts = [
        "- Held in PostgreSQL; what breaks a rule is refused when it is written.",
        *(f"- `{column}` names a row of [{other.name}](#{other.name.replace('.', '')})."
          for column, other in contract.references),
        *_row_rules(contract.rules),
    ]  # fmt: skip
    return "\n".join([f"### {contract.name}\n", contract.description, "", *facts, "", _columns(contract)])


def _feed(source: Contract) -> str:
    facts = [
        f"- Topic `{source.topic}`, {source.partitions} partitions; at most {source.max_bytes:,} bytes a row.",
        "- A row that a rule refuses, or of a type that no table takes, goes to quarantine; the stream goes on.",
    ]
    takers = sorted(((kind, t) for t in tables(domain=source.domain) for kind in t.fed_by), key=itemgetter(0))
    fed = _markdown_table(["event type", "table"], [[f"`{kind}`", _link(t)] for kind, t in takers])
    return "\n".join([f"### {source.name}\n", source.description, "", *facts, "", fed])


def _table(contract: Contract) -> str:
    facts = []
    if contract.fed_by:
        rows = f", a row each element of `{contract.rows_at}`" if contract.rows_at else ""
        facts.append(f"- Filled from {', '.join(f'`{kind}`' for kind in contract.fed_by)}{rows}.")
    if contract.business_key:
        facts.append(f"- Every version is kept; those that hold today are in `{contract.name}{latest_views.SUFFIX}`.")
    by = latest_views.lookups(contract)
    if by:
        columns_by = ", ".join(f"`{column}`" for column in by.values())
        facts.append(f"- Found by {columns_by} with `SELECT * FROM {next(iter(by))}(value = '…')` and the like.")
    if contract.built_from:
        facts.append(f"- Built from {_links(contract.built_from)}.")
    readers = [c for c in tables() if contract in c.built_from]
    if readers:
        facts.append(f"- Read by {_links(readers)}.")
    refreshed = _REFRESHED.get(contract.refresh)
    if refreshed:
        whole = f"; a day (`{contract.day}`) can be rebuilt by itself" if contract.day else ""
        facts.append(f"- Refreshed {refreshed}{whole}.")
    held = ["Delta"] if contract.delta else []
    if contract.layer == "stage":
        held = [f"Parquet files below `stage/{contract.table}/`"]
    if contract.clickhouse is not None:
        held.append(f"ClickHouse ({_storage(contract)})")
    facts.append(f"- Held in {' and '.join(held)}.")
    facts += _row_rules(contract.rules)
    outcomes = {r.on_fail for r in contract.rules} | {r.on_fail for c in contract.columns for r in c.rules}
    if OnFail.STOP in outcomes:
        facts.append("- A table that breaks a rule is not published: readers keep the one before.")
    return "\n".join([f"### {contract.name}\n", contract.description, "", *facts, "", _columns(contract)])


def _storage(contract: Contract) -> str:
    storage = engine_of(contract)
    texts = [f"`{engine(contract)}`"]
    if isinstance(storage, Replacing):
        texts.append("read it with `FINAL`")
    texts.append(f"sorted by `{', '.join(contract.sorting_key)}`")
    if storage.partition:
        texts.append(f"partitioned by `{storage.partition}`")
    if storage.ttl:
        texts.append(f"rows leave at `{storage.ttl}`")
    return ", ".join(texts)


def _row_rules(rules: Iterable[RowRule]) -> list[str]:
    return [f"- {rule.sentence}{_unless_usual(rule.on_fail)}." for rule in rules]


def _columns(contract: Contract) -> str:
    served = columns(contract) if contract.clickhouse is not None else {}
    referenced = {reference.column: reference for reference in references(contract)}
    rows = []
    # What only ClickHouse holds has the serving columns and no others.
    for column in contract.columns if contract.delta or not served else contract.serving_columns:
        marks = ["**key**"] if column.key else ["*optional*"] if column.optional else []
        if column.personal:
            marks.append("personal")
        if contract.clickhouse is not None and column.name not in served:
            marks.append("lake only")
        rows.append([f"`{column}`", column.type.name, ", ".join(marks), column.description, _rules(column, referenced)])
    head = ["field" if contract.kind != "table" else "column", "type", "", "what it is", "rules"]
    return _markdown_table(head if any(row[4] for row in rows) else head[:4], rows)


def _rules(column: Column, referenced: dict[Column, Reference]) -> str:
    texts = [rule.sentence + _unless_usual(rule.on_fail) for rule in column.rules]
    if column in referenced:
        target = referenced[column]
        part = f" of `{target.part}`" if target.part else ""
        texts.append(f"refers to `{target.target_column}`{part} in {_link(target.target)}")
    return "; ".join(texts)


def _unless_usual(outcome: OnFail) -> str:
    """The usual outcomes stand above the table of columns."""
    return " (only a warning)" if outcome is OnFail.WARN else ""


def _views(declared: Sequence[View]) -> str:
    rows = [[f"[{view.name}](../../{view.source})", view.question] for view in declared]
    head = "## Views\n\nViews in ClickHouse, each an answer to a question.\n\n"
    return head + _markdown_table(["view", "question"], rows)


def _types() -> str:
    rows = [[f"`{t.name}`", t.article, t.spark and f"`{t.spark}`", t.clickhouse and f"`{t.clickhouse}`"] for t in ALL]
    return "## Types\n\n" + _markdown_table(["type", "a value is", "Spark and Delta", "ClickHouse"], rows)


def _sentence(contract: Contract) -> str:
    """The first sentence of the description."""
    first, stop, _ = contract.description.partition(". ")
    return first + ("." if stop else "")


def _links(referenced: Sequence[Contract]) -> str:
    return ", ".join(_link(c) for c in referenced)


def _link(contract: Contract) -> str:
    """To the contract's heading, by the anchor that GitHub makes of it."""
    if contract.kind == "event":
        return f"[event {contract.event_type}](#event-{contract.event_type.lower().replace('.', '')})"
    return f"[{contract.name}](#{contract.name.replace('.', '')})"


def _markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [
        list(head),
        ["---"] * len(head),
        *([cell.replace("|", "\\|") for cell in row[: len(head)]] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the catalogue, or with ``--check`` say whether it is current; the exit code."""
    page = catalogue()
    current = CATALOGUE.read_text(encoding="utf-8") if CATALOGUE.exists() else ""
    if "--check" in arguments:
        if page != current:
            print(f"{NAME} is out of date; refresh it: {REFRESH}", file=sys.stderr)
            return 1
        return 0
    if page != current:
        CATALOGUE.parent.mkdir(exist_ok=True)
        CATALOGUE.write_text(page, encoding="utf-8")
    print(f"{NAME} is " + ("as it was" if page == current else "written"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
