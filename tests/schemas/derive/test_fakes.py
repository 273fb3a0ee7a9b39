"""Fakes keep the rules of their contract."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.contract import Contract, col, contract, events, table, tables
from schemas.contract.rules import RowRule, Rule, at_least, at_most, max_length, not_empty
from schemas.contract.types import CODE, COUNT, ID, MONEY, NUMBER, TEXT
from schemas.derive.fakes import broken_rules, fake_event, fake_rows, fill
from tests.support.sample_contracts import SAMPLE_DAILY, SAMPLE_EVENT, SAMPLES

PYTHON_TYPES: dict[str, type] = {
    "ID": str, "CODE": str, "TEXT": str, "DAY": date, "INSTANT": datetime, "COUNT": int, "MONEY": Decimal,
    "RATE": Decimal, "SUM": Decimal, "NUMBER": float, "FLAG": bool, "BYTES": bytes, "HEADERS": list,
}  # fmt: skip


def declared(rules: tuple[RowRule, ...] = (), **columns: str) -> Contract:
    result = type("Made", (), {"__doc__": "One row.", "a_id": col(ID, "A key.", key=True), **columns})
    return contract(table("gold.made", rules=rules)(result))


@pytest.mark.parametrize("result", [SAMPLES, SAMPLE_DAILY, *tables()], ids=lambda result: result.name)
def test_rows_keep_every_rule_and_type_of_their_contract(result: Contract) -> None:
    rows = fake_rows(result, 40, seed=3)

    assert len({tuple(row[c] for c in result.key) for row in rows}) == 40
    for row in rows:
        assert list(row) == list(result.columns)
        assert broken_rules(result, row) == []
        for column in result.columns:
            if row[column] is None:
                assert column.optional
            else:
                assert type(row[column]) is PYTHON_TYPES[column.type.name]


def test_optional_columns_are_sometimes_empty() -> None:
    notes = [row["note"] for row in fake_rows(SAMPLES, 40)]

    assert None in notes
    assert any(notes)


def test_times_are_utc_and_amounts_have_four_digits() -> None:
    row = fill(SAMPLES, {})

    assert row["taken_at"].tzinfo is UTC
    assert row["price_kzt"].as_tuple().exponent == -4


def test_the_same_seed_gives_the_same_rows_and_another_gives_others() -> None:
    assert fake_rows(SAMPLES, 5, seed=1) == fake_rows(SAMPLES, 5, seed=1)
    assert fake_rows(SAMPLES, 5, seed=1) != fake_rows(SAMPLES, 5, seed=2)
    assert fake_rows(SAMPLES, 5, seed=1) == fake_rows(SAMPLES, 9, seed=1)[:5]


def test_a_given_value_stays_and_changes_no_other() -> None:
    row = fill(SAMPLES, {"is_sold": True, "note": None})

    assert row["is_sold"] is True
    assert row["note"] is None
    assert {c: v for c, v in row.items() if c not in ("is_sold", "note")} == {
        c: v for c, v in fill(SAMPLES, {}).items() if c not in ("is_sold", "note")
    }


def test_filled_rows_differ_in_ids_only() -> None:
    first, second = fill(SAMPLES, {}, 0), fill(SAMPLES, {}, 1)

    assert [c for c in SAMPLES.columns if first[c] != second[c]] == ["sample_id", "headers", "value"]


def test_rules_over_several_columns_are_kept_where_the_given_values_allow_it() -> None:
    row = fill(SAMPLE_DAILY, {"a_kzt": Decimal(10), "b_kzt": Decimal(4)})

    assert row["c_kzt"] == 6


def test_a_row_that_breaks_the_rules_can_be_asked_for() -> None:
    row = fill(SAMPLE_DAILY, {"a_kzt": Decimal(10), "b_kzt": Decimal(4), "c_kzt": Decimal(99)})

    assert broken_rules(SAMPLE_DAILY, row) == ["adds_up"]
    assert broken_rules(SAMPLE_DAILY, fill(SAMPLE_DAILY, {"seller_id": " "})) == ["seller_id.not_empty"]


def test_an_unknown_column_is_said() -> None:
    with pytest.raises(KeyError, match=r"silver\.samples has no column 'sellr_id'; it has sample_id"):
        fill(SAMPLES, {"sellr_id": "s"})


@pytest.mark.parametrize("event", [SAMPLE_EVENT, *events()], ids=lambda event: event.name)
def test_events_are_ready_to_be_sent(event: Contract) -> None:
    for seed in range(30):
        sent = fake_event(event, seed)
        assert json.loads(json.dumps(sent)) == sent == fake_event(event, seed)
        assert set(sent) <= set(event.columns)
        for column in event.columns:
            assert column.optional or column in sent
            assert column.items is None or all(
                broken_rules(column.items, {c: element.get(c) for c in column.items.columns}) == []
                for element in sent[column]
            )


def test_events_with_different_seeds_have_different_ids() -> None:
    assert len({fake_event(SAMPLE_EVENT, seed)["sample_id"] for seed in range(20)}) == 20


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        (col(COUNT, "A.", at_least(10)), 10, 2_000), (col(COUNT, "A.", at_most(-5)), -2_000, -5),
        (col(COUNT, "A.", at_least(3), at_most(4)), 3, 4), (col(COUNT, "A.", at_least(-9), at_most(-3)), -9, -3),
        (col(MONEY, "A.", at_least(-100), at_most(0)), -100, 0), (col(NUMBER, "A.", at_least(0.5), at_most(1)), 0.5, 1),
        (col(COUNT, "A.", at_least(-100_000_000)), 1, 2_000),
    ],
)  # fmt: skip
def test_numbers_stay_within_their_bounds(column: str, low: float, high: float) -> None:
    values = [row["x"] for row in fake_rows(declared(x=column), 50)]

    assert all(low <= value <= high for value in values)


@pytest.mark.parametrize(
    "column", [col(ID, "A.", max_length(6)), col(CODE, "A.", max_length(3)), col(TEXT, "A.", max_length(2))]
)
def test_texts_stay_within_their_length(column: str) -> None:
    assert all(row["x_y_z_id"] for row in fake_rows(declared(x_y_z_id=column), 20))


def test_a_condition_that_is_no_equality_is_met_by_drawing_again() -> None:
    result = declared((RowRule("order", "x must be below y", "x < y"),), x=col(COUNT, "X."), y=col(COUNT, "Y."))

    assert all(row["x"] < row["y"] for row in fake_rows(result, 50))


def test_rules_that_no_row_can_keep_are_said() -> None:
    impossible = Rule("never", "must never be", lambda x: f"{x} IS NULL", lambda _: False, {})
    with pytest.raises(ValueError, match=r"no fake of gold\.made\.x was found that keeps its rules"):
        fake_rows(declared(x=col(TEXT, "X.", not_empty(), impossible)), 1)
    with pytest.raises(ValueError, match=r"no fake of gold\.made was found that keeps contradiction"):
        fake_rows(declared((RowRule("contradiction", "x above itself", "x > x"),), x=col(COUNT, "X.")), 1)


def test_more_rows_than_there_are_keys_are_refused() -> None:
    few: Any = contract(
        table("gold.few")(
            type("Few", (), {"__doc__": "One.", "x": col(COUNT, "X.", at_least(1), at_most(3), key=True)})
        )
    )
    assert len(fake_rows(few, 3)) == 3
    with pytest.raises(ValueError, match=r"gold\.few has no 4 fake rows with different keys; 3 were found"):
        fake_rows(few, 4)
