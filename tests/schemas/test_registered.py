"""What holds of every contract that is registered: names, units, money, outcomes, sentences."""

import re
from collections.abc import Iterator

import pytest

import schemas
from conf.discovery import modules_below
from schemas.contract import Column, Contract, contracts, events, tables, topics
from schemas.contract.rules import OnFail

ENDINGS = {
    "DAY": ("_on",),
    "INSTANT": ("_at",),
    "MONEY": ("_amount", "_kzt"),
    "SUM": ("_amount",),
    "ID": ("_id",),
    "COUNT": ("_count", "_no", "_id"),
    "NUMBER": ("_pct", "_km", "_l", "_amount", "_kzt"),
    "CODE": ("_code", "_id"),
}
UNITS = tuple(
    f"_{unit}"
    for module in modules_below(schemas, skip=("contract", "derive"))
    for unit in getattr(module, "UNITS", ())
)
"""Units that a domain measures in, and no other does: `UNITS` of one of its modules."""

# A name without a unit or kind, and why it is clearer so.
EXCEPTIONS = {
    "arrival": "a version for ClickHouse, which no person counts",
    "event_hash": "a hash is its own kind",
    "kafka_offset": "Kafka's own word",
    "kafka_partition": "Kafka's own word",
    "kafka_topic": "Kafka's own word",
    "superseded_by_partition": "Kafka's own word",
    "superseded_by_offset": "Kafka's own word",
    "line_units": "amounts in ten-thousandths: a unit, though no currency",
    "quantity": "the word of every shop; pieces, negative for a return",
    "unit_price": "the field as producers send it, its currency beside it",
    "mode": "a word of five",
    "period_kind": "a word of three or four",
    "mean_lines": "a mean of counts, which is no count",
    "median_lines": "a median of counts, which is no count",
    "score": "a z has no unit",
    "rule": "a rule's name in quarantine and in findings",
    "contract": "a table's name",
    "day": "a day, or the word all",
    "state": "a word of three",
    "step": "a word of five",
    "domain": "a folder's name",
    "outcome": "a word of three",
    "rows_in": "rows, said first",
    "rows_out": "rows, said first",
    "delta_version": "Delta's own word",
    "seconds": "the unit is the name",
    "slowest_seconds": "the unit is in the name",
    "gates_seconds": "the unit is in the name",
    "overdue_days": "the unit is in the name",
    "valid_from": "the word of every slowly changing dimension",
    "valid_to": "the word of every slowly changing dimension",
}


def all_columns() -> Iterator[tuple[Contract, Column]]:
    for contract in contracts():
        for column in contract.columns:
            yield contract, column
            if column.items is not None:
                yield from ((column.items, inner) for inner in column.items.columns)


def wrong_name(column: Column) -> str:
    """What is wrong with a column's name; empty where nothing is."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", column):
        return "is not snake_case"
    begins = column.startswith(("is_", "has_"))
    if column.type.name == "FLAG" or begins:
        return "" if begins and column.type.name == "FLAG" else "begins like a flag, or is one and does not"
    endings = ENDINGS.get(column.type.name)
    if column.type.name == "NUMBER":
        endings = (*ENDINGS["NUMBER"], *UNITS)
    is_told = endings is None or column.endswith(endings) or column in EXCEPTIONS
    return "" if is_told else f"is a {column.type}: it must end in {' or '.join(endings or ())}"


def test_a_name_says_the_unit_or_kind_of_its_column() -> None:
    wrong = [
        f"{contract.name}.{column} {output}" for contract, column in all_columns() if (output := wrong_name(column))
    ]
    assert wrong == []


def test_every_exception_is_used() -> None:
    assert set(EXCEPTIONS) - {str(column) for _, column in all_columns()} == set()


def test_an_ending_means_one_kind_of_value() -> None:
    for contract, column in all_columns():
        for ending, types in (("_at", {"INSTANT"}), ("_on", {"DAY"}), ("_amount", {"MONEY", "SUM"}),
                              ("_kzt", {"MONEY"}), ("_code", {"CODE"}), ("_count", {"COUNT"})):  # fmt: skip
            if column.endswith(ending):
                assert column.type.name in types, f"{contract.name}.{column} is a {column.type}"


def test_money_stands_with_its_currency() -> None:
    for contract in contracts():
        amounts = [c for c in contract.columns if c.type.name == "MONEY" and not c.endswith("_kzt")]
        items = [i for c in contract.columns if c.items for i in c.items.columns if i.type.name == "MONEY"]
        if amounts or [i for i in items if not i.endswith("_kzt")]:
            assert "currency_code" in contract.columns, f"{contract.name} has money and no currency_code"
            # A table of several entities has amounts of one of them only.
            assert not contract.column("currency_code").optional or all(c.optional for c in amounts)


def test_money_of_two_currencies_is_never_one_row() -> None:
    for contract in tables("gold"):
        if any(not name.endswith("_kzt") for name in contract.money_columns):
            assert "currency_code" in contract.key, f"{contract.name} adds up several currencies"


@pytest.mark.parametrize("contract", contracts(), ids=lambda contract: contract.name)
def test_descriptions_are_sentences(contract: Contract) -> None:
    assert contract.description.endswith(".")
    if contract.kind == "table":
        assert contract.description.startswith("One row per ")
    for column in contract.columns:
        assert not re.search(r"\s\s|\n", column.description)


@pytest.mark.parametrize("contract", contracts(), ids=lambda contract: contract.name)
def test_rules_have_an_outcome_that_their_layer_can_carry_out(contract: Contract) -> None:
    possible = {OnFail.REJECT} if contract.kind in ("event", "entity") else {OnFail.STOP, OnFail.WARN}
    for owner in (contract, *(c.items for c in contract.columns if c.items)):
        outcomes = [(r.name, r.on_fail) for r in owner.rules]
        outcomes += [(f"{c}.{r.name}", r.on_fail) for c in owner.columns for r in c.rules]
        wrong = [name for name, outcome in outcomes if outcome not in possible]
        assert not wrong, f"{owner.name}: the outcome of {', '.join(wrong)} cannot be carried out"


@pytest.mark.parametrize("contract", contracts(), ids=lambda contract: contract.name)
def test_conditions_name_columns_of_their_row(contract: Contract) -> None:
    for owner in (contract, *(c.items for c in contract.columns if c.items)):
        for rule in owner.rules:
            words = set(re.findall(r"[a-z]\w*_\w+|[a-z]\w+", re.sub(r"'[^']*'", "", rule.condition)))
            functions = set(re.findall(r"(\w+)\(", rule.condition))
            assert words - functions <= set(owner.columns), f"{owner.name}: {rule.name}"


def test_tables_lie_in_their_layer_and_bear_their_domains_name() -> None:
    for table in tables():
        assert table.layer in {"stage", "bronze", "silver", "gold", "quarantine", "ops"}
        if table.layer in ("bronze", "quarantine"):
            assert table.table == table.domain
        if table.layer == "gold":
            assert table.table.startswith(f"{table.domain}_")
            assert table.built_from, f"{table.name} does not say what it is built from"
            assert table.clickhouse is not None, f"{table.name} is not served"
            assert table.refresh == "nightly"


def test_a_topic_is_named_as_its_domain() -> None:
    assert topics()
    for source in (c for c in contracts() if c.topic):
        assert source.topic.partition("-")[0] == source.domain


def test_every_event_has_its_bronze_and_its_quarantine() -> None:
    for event in events():
        readers = [t for t in tables("bronze") if event in t.built_from]
        assert [t.domain for t in readers] == [event.domain]
        assert [t.domain for t in tables("quarantine", event.domain)] == [event.domain]


def test_what_the_live_lane_writes_forgets_no_token() -> None:
    for table in tables("silver"):
        if table.clickhouse is not None and table.refresh == "stream":
            assert table.clickhouse.dedup_window >= 10_000
