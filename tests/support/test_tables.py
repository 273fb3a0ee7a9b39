"""Tables drawn as text."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.support.sample_contracts import SAMPLES
from tests.support.tables import rows_from_text, table_from_text

DRAWN = """
    | sample_id | taken_at                  | sold_on    | price_kzt | share | is_sold | note | arrival | value |
    |-----------|---------------------------|------------|-----------|-------|---------|------|---------|-------|
    | a         | 2026-01-31 09:30          | 2026-01-31 | 12.50     | 0.5   | true    | ''   | 7       | x     |
    | b         | 2026-01-31T09:30:00+05:00 | 2026-01-31 |           | 1     | False   |      | -7      | ''    |
"""


def test_cells_are_read_by_the_type_of_their_column() -> None:
    assert rows_from_text(SAMPLES, DRAWN) == [
        {"sample_id": "a", "taken_at": datetime(2026, 1, 31, 9, 30, tzinfo=UTC), "sold_on": date(2026, 1, 31),
         "price_kzt": Decimal("12.50"), "share": 0.5, "is_sold": True, "note": "", "arrival": 7, "value": b"x"},
        {"sample_id": "b", "taken_at": datetime(2026, 1, 31, 4, 30, tzinfo=UTC), "sold_on": date(2026, 1, 31),
         "price_kzt": None, "share": 1.0, "is_sold": False, "note": None, "arrival": -7, "value": b""},
    ]  # fmt: skip


def test_columns_that_are_not_drawn_are_filled() -> None:
    first, second = table_from_text(SAMPLES, "| share |\n| 0.5 |\n| 0.5 |")

    assert set(first) == set(SAMPLES.columns)
    assert first["share"] == second["share"] == 0.5
    assert first["seller_id"] == second["seller_id"]
    assert first["sample_id"] != second["sample_id"]


def test_a_header_alone_is_an_empty_table() -> None:
    assert table_from_text(SAMPLES, "| share |\n|-------|") == []


@pytest.mark.parametrize(
    ("drawn", "sentence"),
    [
        ("| share |\n| much |", "share must be a number; found 'much'"),
        ("| is_sold |\n| yes |", "is_sold must be true or false; found 'yes'"),
        ("| price_kzt |\n| 1,5 |", "price_kzt must be an amount of at most 14 digits .* found '1,5'"),
        ("| share |\n|  |", "share is required: its cell cannot be empty"),
        ("| share | note |\n| 1 |", "the row .* has 1 cells, the header has 2"),
        ("share\n1", "each line of the drawn table must begin and end with"),
        ("", "each line of the drawn table must begin and end with"),
    ],
)  # fmt: skip
def test_a_bad_drawing_is_said(drawn: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        rows_from_text(SAMPLES, drawn)


def test_an_unknown_column_is_said() -> None:
    with pytest.raises(KeyError, match=r"silver\.samples has no column 'shre'"):
        rows_from_text(SAMPLES, "| shre |\n| 1 |")
