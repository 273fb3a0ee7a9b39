"""Files as people export them (tests/cases/purchases), each with the values that are right."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingestion.purchases.feed import PurchasesFile
from ingestion.purchases.mapping import load_mapping

CASES = Path(__file__).parents[2] / "cases" / "purchases"


def read(file: str, mapping: str) -> tuple[list[dict[str, Any]], list[str], PurchasesFile]:
    sentences: list[str] = []
    feed = PurchasesFile(CASES / file, sentences.append, mapping=load_mapping(CASES / mapping))
    return [orjson.loads(message.value or b"") for message in feed.messages()], sentences, feed


def lines(bodies: list[dict[str, Any]]) -> dict[str, list[tuple[Any, Any]]]:
    return {
        body["purchase_id"]: [(line["quantity"], line["unit_price"]) for line in body["lines"]] for body in bodies
    }  # fmt: skip


def test_a_point_under_a_decimal_comma_sets_thousands_apart_in_quantities_too() -> None:
    bodies, sentences, _ = read("01-thousands-dot-quantity/bestellungen.csv", "01-thousands-dot-quantity/shop.toml")
    assert lines(bodies) == {
        "R-1001": [(1_000, "0.05")], "R-1002": [(2_500, "0.08")], "R-1003": [(12_000, "1234.5")],
        "R-1004": [(3, "7.9")], "R-1005": [(2, "7.9")],
    }  # fmt: skip
    assert sentences == []


@pytest.mark.parametrize(
    ("file", "expected", "notes"),
    [
        ("sep_line.csv", {"S-1": [(2, "10.5")]}, []),
        (
            "preamble_and_total.csv",
            {"S-1": [(2, "10.5")]},
            [
                "preamble_and_total.csv: the header is line 4; what stands above it is left out.",
                "preamble_and_total.csv: 1 row of totals, no purchases, left out: line 6.",
            ],
        ),
        (
            "total_row.csv",
            {"S-2": [(2, "10.5")], "S-3": [(1, "10.5")]},
            ["total_row.csv: 2 rows of totals, no purchases, left out: lines 4, 5."],
        ),
    ],
)
def test_excels_line_titles_and_totals_are_what_they_are(file: str, expected: object, notes: list[str]) -> None:
    bodies, sentences, feed = read(f"02-sep-line-and-preamble/{file}", "02-sep-line-and-preamble/m.toml")
    assert (lines(bodies), sentences, feed.problems) == (expected, notes, 0)


def test_ids_of_which_a_spreadsheet_lost_the_digits_make_no_two_orders_one() -> None:
    bodies, sentences, feed = read("05-excel-scientific-ids/orders.csv", "05-excel-scientific-ids/m.toml")
    assert len(bodies) == feed.total == 3
    for body in bodies:
        # A list where a text must stand, and too long where it is taken for one.
        assert body["purchase_id"][0].startswith("4,8800")
        assert len(orjson.dumps(body["purchase_id"])) > 128
        assert len(orjson.dumps(body["lines"][0]["product_id"])) > 64
    assert [sentence.partition(":")[0] for sentence in sentences] == [
        f"orders.csv line {line}, column {column}" for line in (2, 3, 4) for column in ("SKU", "Order")
    ]  # fmt: skip
    assert "a spreadsheet has cut this one to scientific form" in sentences[0]


def test_a_later_export_and_a_better_mapping_name_the_same_purchases() -> None:
    folder = "06-reexport-changed-order"
    first, *_ = read(f"{folder}/orders_day1.csv", f"{folder}/m1.toml")
    second, *_ = read(f"{folder}/orders_day2.csv", f"{folder}/m2_better.toml")
    keys = [[(body["seller_id"], body["purchase_id"]) for body in bodies] for bodies in (first, second)]
    assert keys[0] == keys[1]
    assert sum(
        quantity * Decimal(price) for body in lines(second).values() for quantity, price in body
    ) == 130  # fmt: skip


@pytest.mark.parametrize(("file", "mapping"), [("zakazy.txt", "tab.toml"), ("zakazy_1251.csv", "semi.toml")])
def test_utf_16_and_windows_1251_are_told_from_the_bytes(file: str, mapping: str) -> None:
    bodies, sentences, feed = read(f"08-excel-unicode-text/{file}", f"08-excel-unicode-text/{mapping}")
    assert lines(bodies) == {
        "K-1": [(1, "10237.65")], "K-2": [(2, "950")], "K-3": [(1, "950")], "K-4": [(1, "950")], "K-5": [(1, "950")],
    }  # fmt: skip
    assert [body["lines"][0]["product_id"] for body in bodies][:2] == ["Чайник-1", "Чайник-2"]
    assert bodies[3]["purchased_at"] == "2025-11-20T04:55:00Z"
    # A day without a time is not of the format that the mapping states: kept in quarantine, with the line.
    assert bodies[4]["purchased_at"].startswith("20.11.2025 (a time as %d.%m.%Y %H:%M was expected")
    assert feed.problems == 1
    assert sentences[0] == f"{file} is read as {'utf-16' if file.endswith('txt') else 'windows-1251'}."
    assert sentences[1] == f"{file}: 1 row of totals, no purchases, left out: line 7."
